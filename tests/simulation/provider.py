"""The provider of a world: the sandbox's own Stripe, called by the official client, over a lossy network."""

from collections.abc import Callable
from typing import Any

import stripe
from django.db import connection

from payments.providers import stripe as ours
from sandbox.messages import Answer, Request
from sandbox.stripe.objects import EventRecord
from tests.sandbox.in_process import InProcess
from tests.sandbox.running import API_KEY
from tests.simulation.clock import Clock
from tests.simulation.dice import Dice


class Provider(InProcess):
    """Carries the client's requests to the sandbox, or not, or too late."""

    name = "simulated"

    def __init__(self, *, clock: Clock, dice: Dice, publish: Callable[[EventRecord], None]) -> None:
        super().__init__(clock=clock, publish=publish)
        self.dice = dice
        self.is_away = False
        self.meanwhile: Callable[[], None] = lambda: None
        self.later: Callable[[Callable[[], object]], None] = lambda call: None
        self.told: Callable[[str], None] = lambda text: None

    def adapter(self) -> ours.StripeProvider:
        """Return our own provider, unchanged, with this network beneath it."""
        client = stripe.StripeClient(API_KEY, max_network_retries=0, http_client=self)
        return ours.StripeProvider(client=client, tolerance_seconds=300)

    def carry(self, request: Request) -> Answer:
        """Answer a call of ours.

        Raises:
            APIConnectionError: Nothing was heard.
            Died: The caller ends before or after it.
        """
        assert not connection.in_atomic_block, "P6: a transaction is open while the provider is called"
        what = f"{request.method} {request.path.removeprefix('/v1/').split('/')[0]}"
        self.dice.boundary(f"before {what}")
        if self.dice.happens("meanwhile"):
            self.meanwhile()
        answer = self._carry(request)
        self.dice.boundary(f"after {what}")
        return answer

    def list_intents(self) -> list[dict[str, Any]]:
        """List the intents of every account."""
        accounts = self.sandbox.state.accounts.values()
        return [dict(intent) for account in accounts for intent in account.payment_intents.values()]

    def _carry(self, request: Request) -> Answer:
        what = f"{request.method} {request.path}"
        if self.is_away or self.dice.happens("lost_before"):
            return self._lose(f"{what} does not reach the provider")
        if request.method == "POST" and self.dice.happens("late"):
            self.later(lambda: self.sandbox.answer(request))
            return self._lose(f"{what} will reach the provider late")
        for fault, effect in (("rate_limit", "rate_limit"), ("error_before", "error_before")):
            if self.dice.happens(fault):
                self.told(f"{what}: {fault}")
                self._add(request, effect)
                return self.sandbox.answer(request)
        if request.method == "POST" and self.dice.happens("error_after"):
            self.told(f"{what}: takes effect, and answers with an error")
            self._add(request, "error_after")
        answer = self.sandbox.answer(request)
        self.sandbox.faults.clear()
        if self.dice.happens("lost_after"):
            return self._lose(f"{what}: the answer is lost")
        return answer

    def _add(self, request: Request, effect: str) -> None:
        self.sandbox.faults.add({"match": f"{request.method} {request.path}", "effect": effect})

    def _lose(self, why: str) -> Answer:
        self.told(why)
        raise stripe.APIConnectionError("nothing was heard")  # type: ignore[no-untyped-call]
