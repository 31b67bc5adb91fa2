"""Several at one reservation, one event, one sweep: one of them wins, and the others are told so or find nothing."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from booking import execution, expiring
from booking.models import History, Reservation
from booking.states import ReservationStatus
from payments import sending
from payments.models import Command, Payment
from payments.outcome_types import PaymentOutcome
from payments.states import PaymentStatus
from tests.support import promises, stripe_events
from tests.support.aging import end_leases, run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race
from webhooks.models import Event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def settle_down(sandbox: Sandbox) -> None:
    """Do what sweeps and webhooks do, until there is nothing left."""
    for _ in range(3):
        end_leases()
        execution.execute_due()
        stripe_events.deliver_all(sandbox)


class TestRaces:
    @pytest.mark.parametrize("round_", range(4))
    def test_confirm_against_cancel(self, sandbox: Sandbox, round_: int) -> None:
        slot = SlotFactory.create()
        key = Frontend.of(slot).key
        made = Frontend(key).reserve(slot).json()["reservation"]
        path = f"reservations/{made['id']}"
        answers = race([partial(Frontend(key).post, f"{path}/{what}") for what in ("confirm", "cancel")])
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        settle_down(sandbox)
        confirmed = answers[0].status_code == 200
        found = Reservation.objects.get().status, sandbox.payment_intents()[0]["status"]
        assert found == (("paid", "succeeded") if confirmed else ("cancelled", "canceled"))
        promises.hold(at_provider=True)

    @pytest.mark.parametrize("round_", range(4))
    def test_confirm_against_expiry(self, sandbox: Sandbox, round_: int) -> None:
        slot = SlotFactory.create()
        key = Frontend.of(slot).key
        made = Frontend(key).reserve(slot).json()["reservation"]
        run_out(made["id"])
        answers: list[Any] = race(
            [lambda: Frontend(key).post(f"reservations/{made['id']}/confirm"), expiring.expire_due, expiring.expire_due]
        )
        assert answers[0].status_code == 409
        assert answers[1] + answers[2] + expiring.expire_due() == 1
        settle_down(sandbox)
        assert Reservation.objects.get().status == ReservationStatus.EXPIRED
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        promises.hold(at_provider=True)

    def test_ten_confirmations(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        key = Frontend.of(slot).key
        made = Frontend(key).reserve(slot).json()["reservation"]
        answers = race([lambda: Frontend(key).post(f"reservations/{made['id']}/confirm")] * 10)
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 9}
        assert Command.objects.filter(kind="capture").count() == 1

    def test_one_event_delivered_ten_times_at_once(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]
        frontend.post(f"reservations/{made['id']}/confirm")
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        answers = race([lambda: stripe_events.deliver(event)] * 10)
        assert {answer.status_code for answer in answers} == {200}
        assert Event.objects.filter(event_id=event["id"]).count() == 1
        assert History.objects.filter(to_status="paid").count() == 1
        promises.hold()

    def test_two_sweeps_at_once(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=12)
        frontend = Frontend.of(slot)
        for _ in range(12):
            run_out(frontend.reserve(slot).json()["reservation"]["id"])
        assert sum(race([expiring.expire_due] * 4)) == 12
        race([execution.execute_due] * 4)
        assert Counter(intent["status"] for intent in sandbox.payment_intents()) == {"canceled": 12}
        slot.refresh_from_db()
        assert slot.reserved == 0
        promises.hold(at_provider=True)


class TestInterleavings:
    """Something happens at the one point where it hurts: the provider has done its part, and we have not noted it."""

    def after_the_call(self, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
        send = sending.send

        def send_and_then(command: Command) -> PaymentOutcome:
            news = send(command)
            monkeypatch.setattr(sending, "send", send)
            happens()
            return news

        monkeypatch.setattr(sending, "send", send_and_then)

    def test_the_event_overtakes_the_answer(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        slot = SlotFactory.create()
        self.after_the_call(monkeypatch, lambda: stripe_events.deliver_all(sandbox))
        answer = Frontend.of(slot).reserve(slot)
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (201, "pending")
        assert History.objects.filter(to_status="pending").count() == 1
        promises.hold(at_provider=True)

    def test_the_event_of_a_charge_overtakes_the_answer(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slot = SlotFactory.create()
        self.after_the_call(monkeypatch, lambda: stripe_events.deliver_all(sandbox))
        answer = Frontend.of(slot).reserve(slot, capture_method="automatic")
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (201, "paid")
        promises.hold(at_provider=True)

    def test_the_hold_runs_out_while_it_is_asked_for(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        slot = SlotFactory.create(capacity=1)

        def expire() -> None:
            run_out(Reservation.objects.get().pk)
            expiring.expire_due()

        self.after_the_call(monkeypatch, expire)
        answer = Frontend.of(slot).reserve(slot)
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (201, "expired")
        settle_down(sandbox)
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        assert Payment.objects.get().status == PaymentStatus.CANCELED
        slot.refresh_from_db()
        assert slot.reserved == 0
        promises.hold(at_provider=True)

    def test_it_is_canceled_while_the_money_is_taken(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)

        def cancel() -> None:
            assert frontend.post(f"reservations/{Reservation.objects.get().pk}/cancel").status_code == 200

        self.after_the_call(monkeypatch, cancel)
        frontend.reserve(slot, capture_method="automatic")
        settle_down(sandbox)
        # The place is free, and the guest does not want it any more: the money that came is given back (P8).
        reservation = Reservation.objects.get()
        assert reservation.status == ReservationStatus.CANCELLED
        assert (reservation.payments[-1].amount_captured, reservation.payments[-1].amount_refunded) == (4500, 4500)
        promises.hold(at_provider=True)
