"""The provider of a world: the sandbox's own Stripe, called by the official client, over a lossy network."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import stripe
from django.db import connection
from django.db.models import Q

from payments.models import Command
from payments.providers.stripe import adapter as ours
from payments.states import CommandKind
from tests.simulation.clock import Clock
from tests.simulation.dice import Dice
from tests.support.sandbox_in_process import InProcess
from tests.support.sandbox_process import API_KEY
from tools.sandbox.messages import Answer, Request, json_body
from tools.sandbox.stripe.errors import RefusedInState, ResourceMissing, StripeError, Unauthorized
from tools.sandbox.stripe.objects import EventRecord


class Provider(InProcess):
    """Carries the client's requests to the sandbox, or not, or too late."""

    name = "simulated"

    def __init__(self, *, clock: Clock, dice: Dice, publish: Callable[[EventRecord], None]) -> None:
        super().__init__(clock=clock, publish=publish)
        self.dice = dice
        self.is_away = False
        self.knows_us = True
        """Whether the key that we call with is the right one."""
        self.unwanted: list[str] = []
        """Calls that began to take money which nobody wanted any more."""
        self.meanwhile: Callable[[], None] = lambda: None
        self.slowly: Callable[[], None] = lambda: None
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
        self._note_unwanted(request)
        self.dice.boundary(f"before {what}")
        if self.dice.happens("meanwhile"):
            self.meanwhile()
        answer = self._carry(request)
        if self.dice.happens("slow"):
            self.told(f"{what} is SLOW")
            self.slowly()
        self.dice.boundary(f"after {what}")
        return answer

    def list_intents(self) -> list[dict[str, Any]]:
        """List the intents of every account."""
        accounts = self.sandbox.state.accounts.values()
        return [dict(intent) for account in accounts for intent in account.payment_intents.values()]

    def account_of(self, intent_id: str) -> str | None:
        """Return the connected account that an intent is in; None for the platform's own."""
        accounts = self.sandbox.state.accounts.values()
        return next(account.id for account in accounts if intent_id in account.payment_intents)

    def _carry(self, request: Request) -> Answer:
        what = f"{request.method} {request.path}"
        if self.is_away or self.dice.happens("lost_before"):
            return self._lose(f"{what} does not reach the provider")
        if request.method == "POST" and self.dice.happens("late"):
            self.later(lambda: self.sandbox.answer(request))
            return self._lose(f"{what} will reach the provider late")
        if not self.knows_us:
            return self._refuse_stranger(request)
        if request.path == "/v1/refunds" and request.method == "POST" and self.dice.happens("refund_refused"):
            self.told(f"{what}: not enough money")
            return _refusal(RefusedInState("There is not enough money in the account.", code="balance_insufficient"))
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

    def _refuse_stranger(self, request: Request) -> Answer:
        """Answer as an account does that has nothing of ours: not found, and nothing may be made."""
        self.told(f"{request.method} {request.path}: our key is of another account")
        parts = request.path.removeprefix("/v1/").split("/")
        if len(parts) > 1:
            return _refusal(ResourceMissing(parts[0].rstrip("s"), parts[1], param="intent", http_status=404))
        return _refusal(Unauthorized("Invalid API Key provided."))

    def _note_unwanted(self, request: Request) -> None:
        """Note a call that begins to take money after its payment was canceled here (P5)."""
        if request.method != "POST" or not request.path.startswith("/v1/payment_intents"):
            return
        ref = request.path.split("/")[3] if request.path.endswith("/confirm") else ""
        ours = "" if ref or str(request.params.get("confirm")).lower() != "true" else _payment_of(request)
        if not ref and not ours:
            return
        account = self.sandbox.account(request.headers.get("stripe-account"))
        if account.keys.is_of(request.headers.get("idempotency-key", ""), request.params):
            return  # it was sent before, and only its saved answer is asked for
        of_it = Q(payment__provider_ref=ref) if ref else Q(payment_id=UUID(ours))
        if Command.objects.filter(of_it, kind=CommandKind.CANCEL).exists():
            self.unwanted.append(f"P5: {request.path} takes money of payment {ours or ref}, which is canceled")

    def _add(self, request: Request, effect: str) -> None:
        self.sandbox.faults.add({"match": f"{request.method} {request.path}", "effect": effect})

    def _lose(self, why: str) -> Answer:
        self.told(why)
        raise stripe.APIConnectionError("nothing was heard")  # type: ignore[no-untyped-call]


def _payment_of(request: Request) -> str:
    metadata = request.params.get("metadata")
    return str(metadata.get("holdfast_payment", "")) if isinstance(metadata, dict) else ""


def _refusal(error: StripeError) -> Answer:
    return Answer(error.http_status, json_body(error.body()))
