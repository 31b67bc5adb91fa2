"""Holds past their time and payments that nobody has heard of, as many as wanted: copies of what is there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from booking.models import Reservation
from catalogue.models import Activity, Slot
from payments.models import Payment

ROOM = 1_000_000
"""Places of the slots that are only here."""

_CHOOSE = """
CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS
SELECT row_number() OVER () AS number, id AS was, payment_id AS payment_was, uuidv7() AS id, uuidv7() AS payment_id
FROM (SELECT id, payment_id FROM booking_reservation WHERE changed_by = 'demo' ORDER BY id LIMIT %s) AS the_first
"""
_ON_SLOTS = """
CREATE TEMPORARY TABLE chosen_slot ON COMMIT DROP AS
SELECT id, starts_at, ends_at, row_number() OVER () - 1 AS number FROM catalogue_slot WHERE capacity = %s
"""
_RESERVED = """
UPDATE catalogue_slot s SET reserved = s.reserved + taken.number
FROM (SELECT slot_id, count(*) AS number FROM booking_reservation WHERE status = 'pending' GROUP BY slot_id) AS taken
WHERE s.id = taken.slot_id
"""
_PAYMENT = {
    "id": "chosen.payment_id", "provider_ref": "'pi_' || chosen.payment_id", "provider_account": "''",
    "amount_captured": "0", "amount_refunding": "0", "amount_refunded": "0", "captured_event_id": "NULL",
    "amount": "4500", "currency": "'USD'", "managed_id": "chosen.id", "stuck_at": "NULL",
    "held_at": "now() - interval '1 hour'", "created_at": "now() - interval '1 hour'",
    "changed_at": "now() - interval '1 hour'",
}  # fmt: skip
_ON_ITS_SLOT = "FROM chosen_slot WHERE number = chosen.number % (SELECT count(*) FROM chosen_slot)"
_HOLD = {
    "id": "chosen.id", "payment_id": "chosen.payment_id", "reference": "upper(left(md5(chosen.id::text), 12))",
    "slot_id": f"(SELECT id {_ON_ITS_SLOT})",
    "status": "'pending'", "exclusive": "false", "places": "1", "expires_at": "now() - random() * interval '1 hour'",
    "amount": "4500", "amount_owed": "4500", "amount_proven": "0", "currency": "'USD'",
    "confirmed_at": "NULL", "paid_at": "NULL", "created_at": "now() - interval '1 hour'",
    "changed_at": "now() - interval '1 hour'",
    "starts_at": f"(SELECT starts_at {_ON_ITS_SLOT})", "ends_at": f"(SELECT ends_at {_ON_ITS_SLOT})",
}  # fmt: skip


def make_slots(activity: Activity, number: int) -> None:
    """Make slots of the past in which there is always room."""
    first = timezone.now() - timedelta(days=60)
    starts = [first + timedelta(minutes=minute) for minute in range(number)]
    Slot.objects.bulk_create(
        Slot(activity=activity, starts_at=at, ends_at=at + timedelta(hours=1), capacity=ROOM) for at in starts
    )


def copy_holds(number: int) -> None:
    """Add holds past their time, eight or so on a slot."""
    with _choosing(number) as cursor:
        cursor.execute(_ON_SLOTS, [ROOM])
        cursor.execute("CREATE UNIQUE INDEX ON chosen_slot (number); ANALYZE chosen_slot")
        _copy(Payment, "payment_was", _PAYMENT | {"status": "'on_hold'", "next_check_at": "NULL"})
        _copy(Reservation, "was", _HOLD)
        cursor.execute(_RESERVED)


def copy_payments(number: int) -> None:
    """Add payments that are with the provider for too long."""
    due = {"status": "'processing'", "held_at": "NULL", "managed_by": "''", "managed_id": "NULL"}
    due |= {"next_check_at": "now() - interval '1 day'"}
    with _choosing(number):
        _copy(Payment, "payment_was", _PAYMENT | due)


@contextmanager
def _choosing(number: int) -> Iterator[Any]:
    """Choose so many reservations to be copied, and tell the planner of the copies when they are committed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(_CHOOSE, [number])
        yield cursor
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE booking_reservation, catalogue_slot, payments_payment")


def _copy(model: type[models.Model], was: str, other: Mapping[str, str]) -> None:
    """Copy the chosen rows of a table, with other values in some columns, and without what its triggers would do."""
    table = model._meta.db_table
    columns = [str(field.column) for field in model._meta.local_concrete_fields]
    values = ", ".join(other.get(column, f'known."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM chosen JOIN {table} known ON known.id = chosen.{was}"  # noqa: S608
        )
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
