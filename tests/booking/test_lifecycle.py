"""A reservation's life through the HTTP API: held, confirmed, paid by the event, canceled, expired, refused."""

from datetime import timedelta

import pytest
from django.utils import timezone

from booking import execution, expiring
from booking.models import Reservation
from booking.states import ReservationStatus
from payments.models import Command, Payment
from payments.states import PaymentStatus
from tests.support import promises, stripe_events
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


class TestReserve:
    def test_holds_the_money_and_takes_the_places(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=5)
        answer = Frontend.of(slot).reserve(slot, adults=2)
        assert answer.status_code == 201, answer.content
        reservation, payment = answer.json()["reservation"], answer.json()["payment"]
        assert (reservation["status"], reservation["places"], reservation["amount"]) == ("pending", 2, 9000)
        assert (payment["status"], payment["amount"], payment["currency"]) == ("on_hold", 9000, "USD")
        (intent,) = sandbox.payment_intents()
        assert (intent["status"], intent["amount"], intent["amount_received"]) == ("requires_capture", 9000, 0)
        slot.refresh_from_db()
        assert slot.reserved == 2
        promises.hold()

    def test_is_paid_only_when_the_event_comes(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]
        confirmed = frontend.post(f"reservations/{made['id']}/confirm").json()
        assert (confirmed["reservation"]["status"], confirmed["payment"]["status"]) == ("confirmed", "processing")
        assert sandbox.payment_intents()[0]["status"] == "succeeded"
        stripe_events.deliver_all(sandbox)
        paid = frontend.get(f"reservations/{made['id']}").json()
        assert (paid["reservation"]["status"], paid["payment"]["status"]) == ("paid", "succeeded")
        assert paid["reservation"]["paid_at"] is not None
        told = [(line["from"], line["to"]) for line in frontend.get(f"reservations/{made['id']}/history").json()]
        assert told == [
            (None, "awaiting_payment"),
            ("awaiting_payment", "pending"),
            ("pending", "confirmed"),
            ("confirmed", "paid"),
        ]
        promises.hold()

    def test_asks_for_another_card_when_the_challenge_fails(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot, card="pm_card_authenticationRequired").json()
        assert made["payment"]["next_action"] is not None
        sandbox.authenticate(made["payment"]["provider_ref"], result="failure")
        stripe_events.deliver_all(sandbox)
        shown = frontend.get(f"reservations/{made['reservation']['id']}").json()
        assert (shown["reservation"]["status"], shown["payment"]["status"], shown["payment"]["next_action"]) == (
            "awaiting_payment", "requires_payment_method", None,
        )  # fmt: skip
        assert shown["payment"]["failure"]["code"] == "payment_intent_authentication_failure"
        sandbox.pay(made["payment"]["provider_ref"])
        stripe_events.deliver_all(sandbox)
        shown = frontend.get(f"reservations/{made['reservation']['id']}").json()
        assert (shown["reservation"]["status"], shown["payment"]["failure"]) == ("pending", None)

    def test_takes_the_money_at_once_where_asked(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        answer = frontend.reserve(slot, capture_method="automatic")
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (201, "awaiting_payment")
        stripe_events.deliver_all(sandbox)
        assert Reservation.objects.get().status == ReservationStatus.PAID
        promises.hold()

    def test_waits_for_the_customer_without_a_payment_method(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        answer = Frontend.of(slot).reserve(slot, card=None).json()
        assert (answer["reservation"]["status"], answer["payment"]["status"]) == (
            "awaiting_payment",
            "requires_confirmation",
        )
        assert answer["payment"]["client_secret"]
        sandbox.pay(answer["payment"]["provider_ref"])
        stripe_events.deliver_all(sandbox)
        assert Reservation.objects.get().status == ReservationStatus.PENDING

    def test_waits_for_the_customer_to_authenticate(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        answer = Frontend.of(slot).reserve(slot, card="pm_card_authenticationRequired").json()
        assert (answer["reservation"]["status"], answer["payment"]["status"]) == ("awaiting_payment", "requires_action")
        assert answer["payment"]["next_action"]["type"] == "use_stripe_sdk"
        sandbox.authenticate(answer["payment"]["provider_ref"])
        stripe_events.deliver_all(sandbox)
        assert Reservation.objects.get().status == ReservationStatus.PENDING

    def test_frees_the_place_when_the_card_is_declined(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=1)
        frontend = Frontend.of(slot)
        refused = frontend.reserve(slot, card="pm_card_chargeDeclined")
        assert refused.status_code == 422
        assert refused.json()["error"]["type"] == "card_error"
        assert refused.json()["error"]["code"] == "card_declined"
        slot.refresh_from_db()
        assert slot.reserved == 0
        assert Reservation.objects.get().status == ReservationStatus.FAILED
        assert frontend.reserve(slot).status_code == 201

    def test_refuses_when_the_slot_is_full(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=1)
        frontend = Frontend.of(slot)
        frontend.reserve(slot)
        refused = frontend.reserve(slot)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "slot_sold_out")
        slot.refresh_from_db()
        assert (slot.reserved, Reservation.objects.count(), len(sandbox.payment_intents())) == (1, 1, 1)

    @pytest.mark.parametrize(("days", "is_closed"), [(1, True), (-1, False)])
    def test_refuses_a_slot_that_takes_no_reservations(self, sandbox: Sandbox, days: int, is_closed: bool) -> None:
        slot = SlotFactory.create(starts_at=timezone.now() + timedelta(days=days), is_closed=is_closed)
        refused = Frontend.of(slot).reserve(slot)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "slot_closed")
        assert Payment.objects.count() == 0

    def test_another_operators_slot_is_not_there(self, sandbox: Sandbox) -> None:
        slot, other = SlotFactory.create(), SlotFactory.create(activity__operator=OperatorFactory.create())
        refused = Frontend.of(other).reserve(slot)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
        assert Reservation.objects.count() == 0

    def test_the_hold_that_ran_out_sells_again_before_the_sweep(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=1)
        frontend = Frontend.of(slot)
        first = frontend.reserve(slot).json()["reservation"]
        run_out(first["id"])
        assert frontend.get(f"reservations/{first['id']}").json()["reservation"]["status"] == "expired"
        assert frontend.get(f"slots/{slot.pk}").json()["available"] == 1
        assert frontend.reserve(slot).status_code == 201
        execution.execute_due()
        assert sorted(intent["status"] for intent in sandbox.payment_intents()) == ["canceled", "requires_capture"]
        promises.hold()


class TestCancel:
    def test_frees_the_place_and_releases_the_hold(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]
        canceled = frontend.post(f"reservations/{made['id']}/cancel")
        assert (canceled.status_code, canceled.json()["reservation"]["status"]) == (200, "cancelled")
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        slot.refresh_from_db()
        assert slot.reserved == 0
        again = frontend.post(f"reservations/{made['id']}/cancel")
        assert (again.status_code, again.json()["error"]["code"]) == (409, "invalid_state")
        promises.hold()

    def test_refuses_what_is_confirmed(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]
        frontend.post(f"reservations/{made['id']}/confirm")
        refused = frontend.post(f"reservations/{made['id']}/delete")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")
        assert Reservation.objects.get().status == ReservationStatus.CONFIRMED


class TestConfirm:
    def test_refuses_past_its_time(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]
        run_out(made["id"])
        refused = frontend.post(f"reservations/{made['id']}/confirm")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "hold_expired")
        assert sandbox.payment_intents()[0]["status"] == "requires_capture"

    def test_refuses_twice(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]
        assert frontend.post(f"reservations/{made['id']}/confirm").status_code == 200
        refused = frontend.post(f"reservations/{made['id']}/confirm")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")
        assert Payment.objects.get().commands.filter(kind="capture").count() == 1

    def test_refuses_what_is_not_held_yet(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot, card=None).json()["reservation"]
        refused = frontend.post(f"reservations/{made['id']}/confirm")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")
        assert Reservation.objects.get().status == ReservationStatus.AWAITING_PAYMENT
        assert not Payment.objects.get().commands.filter(kind="capture").exists()

    def test_fails_when_the_hold_is_gone_at_the_provider(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()
        sandbox.expire(made["payment"]["provider_ref"])
        refused = frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "hold_expired")
        slot.refresh_from_db()
        assert (Reservation.objects.get().status, slot.reserved) == (ReservationStatus.FAILED, 0)
        promises.hold()


class TestExpire:
    def test_frees_only_what_is_due_and_releases_it(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=3)
        frontend = Frontend.of(slot)
        due, kept = (frontend.reserve(slot).json()["reservation"]["id"] for _ in range(2))
        run_out(due)
        assert expiring.expire_due() == 1
        assert expiring.expire_due() == 0
        execution.execute_due()
        slot.refresh_from_db()
        assert slot.reserved == 1
        assert Reservation.objects.get(pk=due).status == ReservationStatus.EXPIRED
        assert Reservation.objects.get(pk=kept).status == ReservationStatus.PENDING
        assert sorted(intent["status"] for intent in sandbox.payment_intents()) == ["canceled", "requires_capture"]
        promises.hold()


class TestLateHold:
    def test_is_released_though_an_earlier_release_was_refused(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot, card="pm_card_authenticationRequired").json()
        sandbox.fault("POST /v1/payment_intents/*/cancel", "error_before")
        frontend.post(f"reservations/{made['reservation']['id']}/cancel")
        Command.objects.filter(kind="cancel").update(status="refused", next_attempt_at=None)
        sandbox.authenticate(made["payment"]["provider_ref"])
        assert sandbox.payment_intents()[0]["status"] == "requires_capture"
        stripe_events.deliver_all(sandbox)
        execution.execute_due()
        stripe_events.deliver_all(sandbox)
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        assert Payment.objects.get().status == PaymentStatus.CANCELED
        promises.hold(at_provider=True)
