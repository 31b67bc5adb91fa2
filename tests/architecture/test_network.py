"""P6: no transaction is open and no connection is held while a provider is waited for, whoever waits."""

from collections.abc import Iterator
from typing import Any

import pytest
import stripe
from django.db import connection

from sweeps import registry as sweeps
from tests import stripe_events
from tests.aging import end_leases, run_out
from tests.api import Frontend
from tests.factories import SlotFactory
from tests.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The calls of the provider, each of which fails if it is made inside a transaction."""
    made: list[str] = []
    request = stripe.RequestsClient.request

    def watched(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        assert not connection.in_atomic_block, f"{method} {url} inside a transaction"
        made.append(f"{method} {url.split('/v1/')[1].split('?')[0]}")
        return request(self, method, url, *args, **kwargs)

    monkeypatch.setattr(stripe.RequestsClient, "request", watched)
    return iter([made])


class TestNoNetworkInATransaction:
    def test_whatever_is_done(self, sandbox: Sandbox, calls: Iterator[list[str]]) -> None:
        made = next(calls)
        slot = SlotFactory.create(capacity=20)
        frontend = Frontend.of(slot)
        first, second, third = (frontend.reserve(slot).json()["reservation"]["id"] for _ in range(3))
        frontend.post(f"reservations/{first}/confirm")
        frontend.post(f"reservations/{second}/cancel")
        run_out(third)
        sweeps.run("expire_reservations")
        sandbox.fault("POST /v1/payment_intents", "error_after")
        frontend.reserve(slot)
        end_leases()
        sweeps.run("send_commands")
        stripe_events.deliver_all(sandbox)
        kinds = {call.split("/")[-1] if "/" in call else call for call in made}
        assert {"post payment_intents", "capture", "cancel"} <= kinds
