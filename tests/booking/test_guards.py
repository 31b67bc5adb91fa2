"""What the database refuses to all who write: the ORM, a form's save, or raw SQL."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from booking.models import History, Reservation, Unit
from booking.states import RESERVATION_TRANSITIONS, ReservationStatus
from catalogue.models import Slot
from payments.models import Command, Payment, PaymentHistory
from payments.states import (
    COMMAND_TRANSITIONS,
    PAYMENT_TRANSITIONS,
    REFUND_TRANSITIONS,
    CommandStatus,
    PaymentStatus,
    RefundStatus,
)
from reconciliation.models import DISCREPANCY_TRANSITIONS, DiscrepancyStatus
from tests.support import stripe_events
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def held(sandbox: Sandbox) -> Reservation:
    """A reservation with a hold."""
    slot = SlotFactory.create()
    made = Frontend.of(slot).reserve(slot).json()["reservation"]
    return Reservation.objects.get(pk=made["id"])


@pytest.fixture
def paid(held: Reservation, sandbox: Sandbox) -> Reservation:
    """A reservation that an event has paid."""
    assert held.slot is not None
    Frontend.of(held.slot).post(f"reservations/{held.pk}/confirm")
    stripe_events.deliver_all(sandbox)
    held.refresh_from_db()
    assert held.status == ReservationStatus.PAID
    return held


def by_orm(reservation: Reservation) -> None:
    reservation.status, reservation.changed_because = "paid", "because I say so"
    reservation.save()


def by_bulk_update(reservation: Reservation) -> None:
    Reservation.objects.filter(pk=reservation.pk).update(status="paid", changed_at=Now())


def by_raw_sql(reservation: Reservation) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE booking_reservation SET status = 'paid', changed_at = now() WHERE id = %s", [reservation.pk]
        )


def with_its_payment(reservation: Reservation) -> None:
    """As somebody who knows the schema would, but for the event."""
    with transaction.atomic():
        Payment.objects.filter(pk=reservation.payments[0].pk).update(
            status="succeeded", amount_captured=reservation.amount, changed_at=Now(), captured_event_id=reservation.pk
        )
        by_raw_sql(reservation)


def with_an_event_of_another(reservation: Reservation) -> None:
    """With an event that is there, and is not of this payment."""
    other = Event.objects.first()
    assert other is not None
    with transaction.atomic():
        Payment.objects.filter(pk=reservation.payments[0].pk).update(
            status="succeeded", amount_captured=reservation.amount, changed_at=Now(), captured_event_id=other.pk
        )
        by_raw_sql(reservation)


class TestPaid:
    @pytest.mark.parametrize("write", [by_orm, by_bulk_update, by_raw_sql, with_its_payment, with_an_event_of_another])
    def test_cannot_be_written_without_the_event(
        self, held: Reservation, sandbox: Sandbox, write: Callable[[Reservation], None]
    ) -> None:
        stripe_events.deliver_all(sandbox)
        with pytest.raises(DatabaseError):
            write(held)
        found = Reservation.objects.get(pk=held.pk)
        assert (found.status, found.payments[-1].status, found.payments[-1].amount_captured) == (
            "pending",
            "on_hold",
            0,
        )

    def test_cannot_be_inserted(self, held: Reservation) -> None:
        held.pk, held._state.adding, held.status, held.reference = None, True, ReservationStatus.PAID, "AAAAAA"
        with pytest.raises(DatabaseError):
            held.save(force_insert=True)
        assert Reservation.objects.count() == 1

    def test_its_evidence_cannot_be_changed(self, paid: Reservation) -> None:
        event = Event.objects.get(type="payment_intent.succeeded")
        changes: list[dict[str, Any]] = [
            {"payload": {}},
            {"captured_amount": 1},
            {"status": "failed"},
            {"payment": None},
        ]
        for change in changes:
            with pytest.raises(DatabaseError):
                Event.objects.filter(pk=event.pk).update(**change)
        with pytest.raises(DatabaseError):
            event.delete()

    def test_the_captured_money_cannot_be_changed(self, paid: Reservation) -> None:
        with pytest.raises(DatabaseError):
            Payment.objects.filter(pk=paid.payments[0].pk).update(amount_captured=1)


class TestPlaces:
    def test_cannot_be_oversold(self, held: Reservation) -> None:
        with pytest.raises(DatabaseError):
            Slot.objects.update(reserved=6)

    def test_capacity_cannot_go_below_what_is_sold(self, held: Reservation) -> None:
        with pytest.raises(DatabaseError):
            Slot.objects.update(capacity=0)


class TestKept:
    def test_nothing_of_a_sale_is_deleted_or_rewritten(self, paid: Reservation) -> None:
        with connection.cursor() as cursor:
            for table in (
                "booking_reservation", "booking_unit", "booking_history", "payments_payment", "payments_command",
                "payments_paymenthistory", "webhooks_event",
            ):  # fmt: skip
                with pytest.raises(DatabaseError):
                    cursor.execute(f"DELETE FROM {table}")  # noqa: S608  # names of our own
        for rows, change in (
            (History.objects.all(), {"reason": "otherwise"}),
            (PaymentHistory.objects.all(), {"actor": "nobody"}),
            (Unit.objects.all(), {"amount": 1}),
            (Command.objects.all(), {"amount": 1}),
        ):
            with pytest.raises(DatabaseError):
                rows.update(**change)

    def test_a_change_by_raw_sql_is_in_the_history_too(self, held: Reservation) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE booking_reservation SET status = 'cancelled', changed_at = now(), changed_by = 'dba', "
                "changed_because = 'by hand' WHERE id = %s",
                [held.pk],
            )
        last = History.objects.filter(reservation=held).latest("id")
        assert (last.from_status, last.to_status, last.actor, last.reason) == ("pending", "cancelled", "dba", "by hand")

    def test_a_change_must_be_explained(self, held: Reservation) -> None:
        with pytest.raises(DatabaseError):
            Reservation.objects.filter(pk=held.pk).update(status="cancelled")


def allowed_by(function: str) -> set[tuple[str, str]]:
    """Read the pairs out of the guard as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", [function])
        (source,) = cursor.fetchone()
        listed = source.split("NOT IN (", 1)[1].split(") THEN", 1)[0]
        cursor.execute(f"SELECT * FROM (VALUES {listed}) AS pair(old, new)")  # noqa: S608  # the database's own text
        return {(old, new) for old, new in cursor.fetchall()}


class TestTransitions:
    """The database has each table of Python, and nothing more."""

    @pytest.mark.parametrize(
        ("function", "statuses", "table"),
        [
            ("booking_reservation_moves", ReservationStatus.values, RESERVATION_TRANSITIONS),
            ("payments_payment_moves", PaymentStatus.values, PAYMENT_TRANSITIONS),
            ("payments_command_moves", CommandStatus.values, COMMAND_TRANSITIONS),
            ("payments_refund_moves", RefundStatus.values, REFUND_TRANSITIONS),
            ("reconciliation_discrepancy_moves", DiscrepancyStatus.values, DISCREPANCY_TRANSITIONS),
        ],
    )
    def test_are_the_same_in_the_database(
        self, function: str, statuses: list[str], table: dict[str, frozenset[str]]
    ) -> None:
        ours = {(old, new) for old, new in product(statuses, statuses) if new in table[old]}
        assert allowed_by(function) == ours

    def test_what_is_not_in_the_table_is_refused(self, held: Reservation) -> None:
        for wanted in ("awaiting_payment", "refunded"):
            with pytest.raises(DatabaseError):
                Reservation.objects.filter(pk=held.pk).update(status=wanted, changed_at=Now())
        assert Reservation.objects.get(pk=held.pk).status == ReservationStatus.PENDING
