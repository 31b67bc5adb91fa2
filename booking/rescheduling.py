"""Reschedule: move a reservation to another departure at its old price."""

from datetime import datetime
from uuid import UUID

from booking import completing, lapsing, locks, seats
from booking.errors import ChangeInProgressError, HoldExpiredError
from booking.models import CHANGED_FIELDS, Reservation
from catalogue import inventory
from catalogue.errors import SlotSoldOutError
from catalogue.models import Slot
from common import database
from common.errors import NotFoundError, ValidationError
from common.states import InvalidStateError
from tenants.models import Operator


def reschedule(*, operator: Operator, reservation_id: UUID, slot_id: UUID, actor: str, reason: str) -> Reservation:
    """Move a reservation's places to another slot, in one transaction.

    The database notes it in the history. Must be called outside a transaction.

    Raises:
        NotFoundError: The operator has no such reservation, or the activity no such slot.
        HoldExpiredError: Its hold is over, by the database's clock.
        InvalidStateError: It holds no places, or the whole activity.
        ChangeInProgressError: A change of it is open.
        SlotClosedError, SlotSoldOutError: The slot cannot be had; nothing has changed.
        ValidationError: It is there already.
    """
    try:
        return _move(operator, reservation_id, slot_id, actor, reason)
    except SlotSoldOutError:
        if lapsing.make_way_on(Slot.objects.select_related("activity").get(pk=slot_id)) == 0:
            raise
        return _move(operator, reservation_id, slot_id, actor, reason)


def _move(operator: Operator, reservation_id: UUID, slot_id: UUID, actor: str, reason: str) -> Reservation:
    with seats.taking_another_slot(), database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator.pk)
        reservation, at = locked.row, locked.at
        left = _leaving(reservation, slot_id, at)
        completing.keep_stage(reservation, at)
        reservation.slot_id = slot_id
        reservation.changed_at, reservation.changed_by, reservation.changed_because = at, actor, reason
        database.update_together((reservation, ("slot", "terms_stage", *CHANGED_FIELDS)))
        inventory.move(left=left, taken=slot_id, places=reservation.places, now=at)
    return reservation


def _leaving(reservation: Reservation, slot_id: UUID, at: datetime) -> UUID:
    """Return the slot that the reservation may leave for another."""
    if reservation.is_due(at):
        raise HoldExpiredError
    if not reservation.is_active or reservation.slot_id is None:
        raise InvalidStateError(kind="reservation", status=reservation.status, wanted="moved")
    if reservation.change_id is not None:
        raise ChangeInProgressError
    if reservation.slot_id == slot_id:
        raise ValidationError(
            param="slot_id", code="same_slot", message="The reservation is already on this departure."
        )
    if not Slot.objects.filter(pk=slot_id, activity_id=reservation.activity_id).exists():
        raise NotFoundError(kind="slot")
    return reservation.slot_id
