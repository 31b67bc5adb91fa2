"""Expire: past holds free their places, and their release is stored too."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from booking import locks
from booking.models import Reservation
from booking.states import ReservationStatus
from catalogue import inventory
from common import database, errors, loops
from common.locking import Locked
from payments import commands, outcome_steps
from payments.models import Command
from payments.states import CommandKind

logger = logging.getLogger("holdfast.expiry")

BATCH = 200
ACTOR = "sweep:expire_reservations"


def expire_due(*, among: Q = locks.ANY, now: datetime | None = None) -> int:
    """Expire past holds (``among`` some); returns how many.

    ``now`` is the database's clock.

    Batches skip what somebody else has locked, so any number may run at once. If a batch fails it is done row by row,
    so that one poisoned row is told of and never stops the others. The provider is not called: commands are stored.
    """
    batches = loops.each(
        _batches(among=among, now=now), lambda number: number, name="expire_reservations", ends=(Exception,)
    )
    if batches.ended_by is None:
        return batches.done
    logger.warning(
        "A batch of holds could not be expired; they are tried one by one.",
        extra={"error": errors.describe(batches.ended_by), "trace": errors.trace(batches.ended_by)},
    )
    return batches.done + _expire_one_by_one(among=among, now=now)


def in_the_way(*, activity_id: UUID, slot_id: UUID | None, during: tuple[datetime, datetime], exclusive: bool) -> Q:
    """Match reservations that may block a party.

    On its slot, or on all of an exclusive activity at that time.
    """
    start, end = during
    if exclusive:
        return Q(activity_id=activity_id, starts_at__lt=end, ends_at__gt=start)
    return Q(slot_id=slot_id)


def end_due(*, among: Q, now: datetime) -> list[Reservation]:
    """Expire past holds inside the caller's transaction.

    The caller gives their places back.

    Waits for nobody: what somebody else has locked is left out. Nothing but slots may be locked after it.
    """
    database.require_transaction()
    over = locks.list_due_for_update(now=now, among=among, limit=BATCH)
    return _end(over) if over else []


def _batches(*, among: Q, now: datetime | None) -> Iterator[int]:
    """Expire batch after batch, until one is not full."""
    number = BATCH
    while number == BATCH:
        number = _expire_batch(among=among, now=now, limit=BATCH)
        yield number


def _expire_batch(*, among: Q, now: datetime | None, limit: int) -> int:
    with database.use_case():
        due = locks.list_due_for_update(now=now, among=among, limit=limit)
        if due:
            _expire(due)
    return len(due)


def _expire(due: Sequence[Locked[Reservation]]) -> None:
    """Move locked reservations on; five statements for a batch of any size."""
    inventory.release(_end(due))


def _end(due: Sequence[Locked[Reservation]]) -> list[Reservation]:
    ended, releases = [], []
    for locked in due:
        reservation, at = locked.row, locked.at
        reservation.move(ReservationStatus.EXPIRED, at=at, by=ACTOR, because="the hold's time is over")
        releases += _release(reservation, at)
        ended.append(reservation)
    same = ("status", "amount_owed", "next_due_at", "changed_at", "changed_by", "changed_because")
    moved = {field: getattr(ended[0], field) for field in same}
    Reservation.objects.filter(pk__in=[reservation.pk for reservation in ended]).update(**moved)
    database.insert_together(*releases)
    return ended


def _release(reservation: Reservation, at: datetime) -> list[Command]:
    """Close the attempt that is shown: where one lives, it is that one.

    A failed one is closed already; one that was given up for another may be.
    """
    payment, why = reservation.payment, "the hold's time is over"
    if payment is None or payment.is_final:
        return []
    if reservation.replacing is not None:
        return outcome_steps.release(payment, at, reason=why)
    return [commands.new(payment=payment, kind=CommandKind.CANCEL, requested_by=ACTOR, reason=why, now=at)]


def _expire_one_by_one(*, among: Q, now: datetime | None) -> int:
    def expire(reservation_id: UUID) -> int:
        with database.use_case():
            due = locks.list_due_for_update(now=now, among=among, limit=1, only=reservation_id)
            if due:
                _expire(due)
        return len(due)

    due = locks.due(now=now, among=among).values_list("pk", flat=True)
    return loops.each(due, expire, name="expire_reservations").done
