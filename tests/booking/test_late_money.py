"""Money that comes after its reservation was over (P8): seated again as sold, or given back."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from booking import execution, expiring
from booking.models import Reservation
from booking.states import ReservationStatus
from catalogue.models import Slot
from payments.states import PaymentStatus
from tests.support import fixed_point, promises, stripe_events
from tests.support.aging import end_leases, run_out
from tests.support.api import Frontend
from tests.support.factories import ActivityFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.virtual_clock import Clock

pytestmark = pytest.mark.django_db(transaction=True)

Made = dict[str, dict[str, Any]]


def make(slot: Slot) -> tuple[Frontend, Made]:
    """Reserve without a card: the guest pays in the browser, whenever that is."""
    frontend = Frontend.of(slot)
    return frontend, frontend.reserve(slot, card=None, capture_method="automatic").json()


def expire(made: Made) -> None:
    """Let the reservation run out; its release is stored and not sent yet."""
    run_out(made["reservation"]["id"])
    expiring.expire_due()


def settle_down(sandbox: Sandbox) -> None:
    """Deliver what has happened, send what that made us want, and deliver what came of it."""
    for _ in range(2):
        stripe_events.deliver_all(sandbox)
        end_leases()
        execution.execute_due()
    stripe_events.deliver_all(sandbox)


def is_given_back(sandbox: Sandbox, made: Made, status: ReservationStatus) -> None:
    """The reservation stays what it was, and its money is back with the guest."""
    row = Reservation.objects.select_related("payment").get(pk=made["reservation"]["id"])
    assert row.status == status
    assert (row.payments[-1].status, row.payments[-1].amount_captured, row.payments[-1].amount_refunded) == (
        PaymentStatus.SUCCEEDED, 4500, 4500,
    )  # fmt: skip
    assert [refund["amount"] for refund in sandbox.state()["refunds"]] == [4500]
    promises.hold()


class TestExpired:
    def test_is_seated_again_if_there_is_room(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=1)
        _, made = make(slot)
        expire(made)
        sandbox.pay(made["payment"]["provider_ref"])
        settle_down(sandbox)
        slot.refresh_from_db()
        assert (Reservation.objects.get().status, slot.reserved) == (ReservationStatus.PAID, 1)
        promises.hold()

    def test_is_given_back_if_the_places_are_gone(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=1)
        frontend, made = make(slot)
        expire(made)
        assert frontend.reserve(slot).status_code == 201
        sandbox.pay(made["payment"]["provider_ref"])
        settle_down(sandbox)
        is_given_back(sandbox, made, ReservationStatus.EXPIRED)

    def test_is_given_back_if_the_departure_is_closed(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        _, made = make(slot)
        expire(made)
        Slot.objects.update(is_closed=True)
        sandbox.pay(made["payment"]["provider_ref"])
        settle_down(sandbox)
        is_given_back(sandbox, made, ReservationStatus.EXPIRED)

    def test_is_given_back_if_it_has_left(self, sandbox: Sandbox, clock: Clock) -> None:
        slot = SlotFactory.create()
        _, made = make(slot)
        expire(made)
        clock.advance(timedelta(days=2))
        sandbox.pay(made["payment"]["provider_ref"])
        settle_down(sandbox)
        is_given_back(sandbox, made, ReservationStatus.EXPIRED)

    def test_is_given_back_if_the_departure_is_of_another_activity(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        _, made = make(slot)
        expire(made)
        other = ActivityFactory.create(operator=slot.activity.operator)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE catalogue_slot DISABLE TRIGGER USER")  # somebody gets round the guards
            cursor.execute("UPDATE catalogue_slot SET activity_id = %s", [other.pk])
            cursor.execute("ALTER TABLE catalogue_slot ENABLE TRIGGER USER")
        sandbox.pay(made["payment"]["provider_ref"])
        settle_down(sandbox)
        is_given_back(sandbox, made, ReservationStatus.EXPIRED)


class TestClosed:
    """Money of a payment that was closed already, which stays what it was."""

    @pytest.mark.parametrize("capacity", [1, 2])
    def test_is_seated_again_if_there_is_room(self, sandbox: Sandbox, capacity: int) -> None:
        slot = SlotFactory.create(capacity=capacity)
        frontend, made = make(slot)
        expire(made)
        assert frontend.reserve(slot).status_code == 201
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE payments_payment SET status = 'canceled', changed_at = now(), changed_by = 'x' WHERE id = %s",
                [made["payment"]["id"]],
            )
        sandbox.pay(made["payment"]["provider_ref"])
        settle_down(sandbox)
        row = Reservation.objects.select_related("payment").get(pk=made["reservation"]["id"])
        expected = (ReservationStatus.PAID, 0) if capacity == 2 else (ReservationStatus.EXPIRED, 4500)
        assert (row.status, row.payments[-1].amount_refunded) == expected
        assert row.payments[-1].status == PaymentStatus.CANCELED
        promises.hold()
        fixed_point.is_reached()


class TestCancelled:
    def test_is_given_back_though_there_is_room(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend, made = make(slot)
        sandbox.fault("POST /v1/payment_intents/*/cancel", "error_before")
        cancelled = frontend.post(f"reservations/{made['reservation']['id']}/cancel").json()["reservation"]
        assert cancelled["status"] == "cancelled"
        sandbox.pay(made["payment"]["provider_ref"])
        settle_down(sandbox)
        is_given_back(sandbox, made, ReservationStatus.CANCELLED)
        slot.refresh_from_db()
        assert slot.reserved == 0
        (note,) = Reservation.objects.get().history.filter(from_status="cancelled")
        assert note.reason == "money came late and is refunded: the reservation was cancelled"

    def test_cannot_be_paid_by_any_way_of_writing(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend, made = make(slot)
        frontend.post(f"reservations/{made['reservation']['id']}/cancel")
        with pytest.raises(DatabaseError, match="cancelled cannot become paid"):
            Reservation.objects.update(status="paid", changed_at=Now())
        assert Reservation.objects.get().status == ReservationStatus.CANCELLED
