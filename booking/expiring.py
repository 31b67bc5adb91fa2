"""Expire: holds past their time give their places back, and the release of each hold is stored with it."""

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError

from booking import locks, places
from booking.models import Reservation
from booking.states import ReservationStatus
from common import database
from common.errors import BusyError
from payments import commands
from payments.states import CommandKind

logger = logging.getLogger("holdfast.expiry")

BATCH = 200
ACTOR = "sweep:expire_reservations"


def expire_due(*, slot_id: UUID | None = None, now: datetime | None = None) -> int:
    """Expire every hold past its time (of one slot, if given) and return how many; ``now`` is the database's clock.

    Batches skip what somebody else has locked, so any number may run at once. If a batch fails it is done row by row,
    so that one poisoned row is reported and never stops the others. The provider is not called: commands are stored.
    """
    expired = 0
    while True:
        try:
            number = _expire_batch(slot_id=slot_id, now=now, limit=BATCH)
        except (DatabaseError, BusyError):
            logger.exception("A batch of holds could not be expired; trying them one by one.")
            return expired + _expire_one_by_one(slot_id=slot_id, now=now)
        expired += number
        if number < BATCH:
            return expired


def _expire_batch(*, slot_id: UUID | None, now: datetime | None, limit: int) -> int:
    with database.use_case():
        due = locks.list_due_for_update(now=now, slot_id=slot_id, limit=limit)
        if due:
            _expire(due)
    return len(due)


def _expire(due: Sequence[Reservation]) -> None:
    """Move locked reservations on; five statements for the batch, whatever its size."""
    releases = []
    for reservation in due:
        at = reservation.db_now  # type: ignore[attr-defined]  # annotated by the lock
        reservation.move(ReservationStatus.EXPIRED, at=at, by=ACTOR, because="the hold's time is over")
        payment = reservation.payment
        releases.append(
            commands.new(
                payment=payment, kind=CommandKind.CANCEL, requested_by=ACTOR, reason="the hold's time is over", now=at
            )
        )
    moved = {field: getattr(due[0], field) for field in ("status", "changed_at", "changed_by", "changed_because")}
    Reservation.objects.filter(pk__in=[reservation.pk for reservation in due]).update(**moved)
    database.insert_together(*releases)
    places.give_back(due)


def _expire_one_by_one(*, slot_id: UUID | None, now: datetime | None) -> int:
    expired = 0
    for reservation_id in locks.due(now=now, slot_id=slot_id).values_list("pk", flat=True):
        try:
            with database.use_case():
                due = locks.list_due_for_update(now=now, slot_id=slot_id, limit=1, only=reservation_id)
                if due:
                    _expire(due)
            expired += len(due)
        except (DatabaseError, BusyError):
            logger.exception("A hold could not be expired.", extra={"reservation": str(reservation_id)})
    return expired
