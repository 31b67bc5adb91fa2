"""How many statements a request sends, transaction control included: the number is what a request costs.

One of them counts the request for the rate limit; with Redis it is not sent.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking import expiring
from payments import credentials
from tests.support import pix, stripe_events
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def known() -> None:
    """Which accounts there are is read once a minute, and by no request of these."""
    credentials.mode_of(provider="stripe", account="")


@contextmanager
def sending(number: int) -> Iterator[None]:
    """Fail unless exactly so many statements are sent; the message lists them."""
    with CaptureQueriesContext(connection) as captured:
        yield
    sent = [query["sql"][:120] for query in captured]
    assert len(sent) == number, "\n".join(sent)


class TestStatements:
    def test_reserving_sends_thirteen(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        with sending(13):  # the limit is 14
            assert frontend.reserve(slot, adults=2).status_code == 201

    def test_a_larger_party_costs_no_statement_more(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=50)
        frontend = Frontend.of(slot)
        with sending(13):
            assert frontend.reserve(slot, adults=40).status_code == 201

    def test_a_webhook_that_settles_sends_nine(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]
        frontend.post(f"reservations/{made['id']}/confirm")
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        with sending(9):  # the limit is 9; one has the deferred constraints checked inside the savepoint
            assert stripe_events.deliver(event).status_code == 200
        assert frontend.get(f"reservations/{made['id']}").json()["reservation"]["status"] == "paid"

    def test_a_duplicate_sends_three(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        event = stripe_events.only(sandbox, "payment_intent.amount_capturable_updated")
        stripe_events.deliver(event)
        with sending(3):
            assert stripe_events.deliver(event).status_code == 200

    def test_a_notice_sends_four(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        with pix.playing(monkeypatch) as provider:
            slot = SlotFactory.create(activity__currency="BRL")
            pix.reserve(Frontend.of(slot), slot)
            (ref,) = provider.payments
            with sending(4):  # the last has a worker look it up
                assert pix.notify(ref) == 200

    @pytest.mark.parametrize(("action", "number"), [("confirm", 15), ("cancel", 20)])
    def test_changing_a_reservation(self, sandbox: Sandbox, action: str, number: int) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]
        with sending(number):
            assert frontend.post(f"reservations/{made['id']}/{action}").status_code == 200

    @pytest.mark.parametrize("holds", [1, 5])
    def test_expiring_costs_the_same_for_many_holds(self, sandbox: Sandbox, holds: int) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        for _ in range(holds):
            run_out(frontend.reserve(slot).json()["reservation"]["id"])
        with sending(8):  # one of them looks for holds without a payment
            assert expiring.expire_due() == holds

    @pytest.mark.parametrize("rows", [1, 3])
    @pytest.mark.parametrize(
        ("path", "number"),
        [
            (lambda slot, _: "slots", 3),
            (lambda slot, _: f"slots/{slot.pk}", 3),
            (lambda slot, _: "resources", 4),
            (lambda slot, _: "reservations", 3),
            (lambda _, made: f"reservations/{made}", 3),
            (lambda _, made: f"reservations/{made}/history", 4),
        ],
    )
    def test_reading_costs_the_same_for_many_rows(
        self, sandbox: Sandbox, rows: int, path: Callable[..., str], number: int
    ) -> None:
        slot = SlotFactory.create()
        SlotFactory.create_batch(rows, activity=slot.activity)
        frontend = Frontend.of(slot)
        made: list[Any] = [frontend.reserve(slot).json()["reservation"]["id"] for _ in range(rows)]
        with sending(number):
            assert frontend.get(path(slot, made[0])).status_code == 200
