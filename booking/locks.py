"""Locks on reservations; ``catalogue/locks.py`` has those of activities and slots.

One order everywhere: API client → event → reservation → payment → activity → slots by id. A reservation and its payment
are locked by one statement, which locks them in that order row by row. The activity is locked by triggers, with each
reservation that takes or leaves places: ``FOR KEY SHARE``, for which sales do not wait, or ``FOR UPDATE`` by who
changes what is sold (``sold_guards.py``). The slot is the hot row: it is locked last and for the
shortest time, and ``FOR NO KEY UPDATE``, since the foreign key of a new reservation takes a key-share lock on it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from booking.models import Reservation
from booking.states import HOLDING
from common import database
from common.compiled import CompiledBy
from common.locking import Locked, clocked
from payments import parameters
from tenants.models import ApiClient

ANY = Q()
"""No condition: all of them."""

_RESERVATION = CompiledBy(
    lambda: clocked(
        Reservation.objects.select_related("payment").select_for_update(no_key=True, of=("self", "payment"))
    )
)


def find_reservation_for_update(**where: Any) -> Locked[Reservation] | None:
    """Lock the reservation that has these values, and its payment."""
    database.require_transaction()
    found = _RESERVATION.first(**where)
    return Locked.of(found) if found is not None else None


def lock_client(*, client_id: UUID) -> None:
    """Lock an API client, before anything else.

    So its holds are counted for one reservation at a time.

    ``FOR NO KEY UPDATE``: the foreign keys of its reservations take a key-share lock on it.
    """
    database.require_transaction()
    list(ApiClient.objects.select_for_update(no_key=True).filter(pk=client_id).values_list("pk"))


def due(*, now: datetime | None, among: Q = ANY) -> QuerySet[Reservation]:
    """Select past holds, by the database's clock without ``now``. Takes no lock."""
    over = Reservation.objects.filter(status__in=sorted(HOLDING), expires_at__lte=Now() if now is None else now)
    return over.filter(among).order_by("expires_at")


def list_due_for_update(
    *, now: datetime | None, limit: int, among: Q = ANY, only: UUID | None = None
) -> list[Locked[Reservation]]:
    """Lock past holds and their payments, skipping rows locked by others.

    Only what expiring needs of them is read, which saves it a third of its time in Python.
    """
    found = due(now=now, among=among)
    if only is not None:
        found = found.filter(pk=only)
    locked = (
        found.select_related("payment")
        .only("status", "slot", "places", *(f"payment__{field}" for field in parameters.FROZEN_FIELDS))
        .select_for_update(no_key=True, of=("self", "payment"), skip_locked=True)
    )
    return [Locked.of(row) for row in clocked(locked)[:limit]]


def lock_occupancy(*, activity_id: UUID) -> None:
    """Lock the times of an exclusive activity, as its triggers do.

    For callers that end other holds before they take a time.

    Who takes a time waits for an uncommitted end of another's while it has this lock: so it must be had before the end.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock('booking_occupancy'::regclass::oid::int, hashtext(%s))", [str(activity_id)]
        )
