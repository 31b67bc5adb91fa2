"""A second attempt is stored while the event of the first one waits for the reservation: it must be seen."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from booking import execution, locks, sales
from booking.models import Reservation
from common.locking import Locked
from payments.models import Command, Payment
from tests.support import fixed_point, promises, servers, stripe_events, threads
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def while_it_is_stored(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> threading.Thread:
    """Begin something when the second attempt is to be stored, and go on when it waits for the reservation."""
    begin = sales.begin

    def run() -> None:
        try:
            happens()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)

    def begin_and_then(*given: Any, **named: Any) -> Command:
        thread.start()
        servers.wait("the event waits for the reservation", lambda: threads.waiting() == 1)
        return begin(*given, **named)

    monkeypatch.setattr(sales, "begin", begin_and_then)
    return thread


FIND = locks.find_reservation_of_payment_for_update


def find_by_a_join(**where: Any) -> Locked[Reservation] | None:
    """Know the one payment that was asked for, as a join of the two does."""
    locked = FIND(**where)
    if locked is not None:
        row = locked.row
        row.payments = [each for each in row.payments if all(getattr(each, name) == where[name] for name in where)]
        row.payment = row.payments[0]
    return locked


def die(command: Command) -> None:
    raise RuntimeError("killed")


class TestRace:
    def play(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> int:
        """Let the money of a declined card come while another is tried by a process that dies; returns what came."""
        frontend = Frontend.of(slot := SlotFactory.create())
        declined = {"card": "pm_card_visa_chargeDeclined", "on_decline": "keep", "capture_method": "automatic"}
        made = frontend.reserve(slot, **declined).json()
        sandbox.pay(made["payment"]["provider_ref"])
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        with monkeypatch.context() as patch:
            thread = while_it_is_stored(patch, lambda: stripe_events.deliver(event))
            patch.setattr(execution, "execute_claimed", die)
            body = {"provider": "stripe", "payment_method_id": "pm_card_visa"}
            assert frontend.post(f"reservations/{made['reservation']['id']}/payments", body).status_code == 500
            thread.join()
        assert Payment.objects.count() == 2
        end_leases()
        work(sandbox)
        return sum(intent["amount_received"] for intent in sandbox.state()["payment_intents"])

    def test_event_closes_the_attempt_that_it_waited_for(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.play(sandbox, monkeypatch) == 4500
        assert Reservation.objects.get().status == "paid"
        promises.hold()
        fixed_point.is_reached()

    def test_without_the_count_it_charges_twice(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(locks, "find_reservation_of_payment_for_update", find_by_a_join)
            assert self.play(sandbox, patch) == 9000
