"""Lapse: a change past its time gives its places back."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from booking import balance, expiring, locks, seats
from booking.models import Change
from booking.states import ChangeStatus
from catalogue.models import Slot
from common import database, loops


def lapse_due(*, among: Q = locks.ANY) -> int:
    """Lapse changes past their time (``among`` some); returns how many.

    Each alone; what is held for it is released.
    """
    due = Change.objects.filter(among, status=ChangeStatus.OPEN, expires_at__lte=Now()).order_by("expires_at")
    return loops.each(due.values_list("reservation_id", flat=True), _lapse, name="lapse_changes").done


def make_way(*, activity_id: UUID, slot_id: UUID | None, during: tuple[datetime, datetime], exclusive: bool) -> int:
    """End past holds and changes that may block a party.

    Returns how many.
    """
    there = expiring.in_the_way(activity_id=activity_id, slot_id=slot_id, during=during, exclusive=exclusive)
    start, end = during
    overlaps = Q(slot__activity_id=activity_id, slot__starts_at__lt=end, slot__ends_at__gt=start)
    return expiring.expire_due(among=there) + lapse_due(among=overlaps if exclusive else Q(slot_id=slot_id))


def make_way_on(slot: Slot) -> int:
    """End past holds and changes that may block a slot's next party.

    Returns how many.
    """
    return make_way(
        activity_id=slot.activity_id,
        slot_id=slot.pk,
        during=(slot.starts_at, slot.ends_at),
        exclusive=slot.activity.exclusive,
    )


def _lapse(reservation_id: UUID) -> bool:
    """End one change, if it is past its time still."""
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id)
        reservation, at, why = locked.row, locked.at, "the change's time is over"
        if reservation.change is None or not reservation.change.is_due(at):
            return False
        ended = seats.end_change(reservation, ChangeStatus.EXPIRED, at=at, by=expiring.ACTOR, because=why)
        balance.settle(reservation, at=at, by=expiring.ACTOR, because=why, leaves=ended)
    return True
