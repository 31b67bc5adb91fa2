"""Money that arrives after its reservation ended (P8): seat again, or refund."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from booking import balance, expiring, locks
from booking.models import CHANGED_FIELDS, History, Reservation
from booking.states import RESERVATION_TRANSITIONS, ReservationStatus
from catalogue import inventory
from catalogue.errors import SlotClosedError, SlotSoldOutError
from common import database
from payments import outcome_steps
from payments.outcome_types import Effect

_SEATED = "the money came late; seated again"


class _NotAsSoldError(Exception):
    """What was sold is not to be had any more; the message says why."""


def seat_or_refund(reservation: Reservation, *, at: datetime) -> tuple[Effect, list[Any]]:
    """Seat a locked reservation again if possible, else refund it.

    Its money is proven already. A cancelled reservation is not wanted any more: its money is always given back. Returns
    the rows to store.
    """
    why = _why_not_seated(reservation, at)
    if why:
        note = History.noting(
            reservation, at=at, actor=outcome_steps.ACTOR, reason=f"money came late and is refunded: {why}"
        )
        note.save(force_insert=True)
    rows = balance.even_out(reservation, at=at, by=outcome_steps.ACTOR, because=_SEATED)
    return balance.effect_of(rows) or Effect.APPLIED, rows


def _why_not_seated(reservation: Reservation, at: datetime) -> str:
    """Seat a reservation again, or say why it cannot be; then it is as before."""
    if ReservationStatus.PAID not in RESERVATION_TRANSITIONS[reservation.status]:
        return f"the reservation was {reservation.status}"
    proven = reservation.amount_proven
    try:
        with transaction.atomic():
            _seat(reservation, at)
    except (_NotAsSoldError, SlotSoldOutError, SlotClosedError, IntegrityError) as error:
        payments = reservation.payments
        reservation.refresh_from_db(fields=CHANGED_FIELDS)  # as it was before the savepoint
        reservation.know_payments(payments)
        reservation.amount_proven = proven
        return str(error) if isinstance(error, _NotAsSoldError) else f"its places are gone ({type(error).__name__})"
    return ""


def _seat(reservation: Reservation, at: datetime) -> None:
    """Take the places again that were sold, at the price that was paid; the slot is locked last.

    Holds that ran out there do not stand in the way. That an exclusive activity is free is the database's decision.
    """
    balance.owe_again(reservation)
    if reservation.amount_proven < reservation.amount_owed:
        raise _NotAsSoldError("it is not the price that the places were sold at")
    _check_is_as_sold(reservation, at)
    there = expiring.in_the_way(
        activity_id=reservation.activity_id,
        slot_id=reservation.slot_id,
        during=(reservation.starts_at, reservation.ends_at),
        exclusive=reservation.activity.exclusive,
    )
    if reservation.activity.exclusive:
        locks.lock_occupancy(activity_id=reservation.activity_id)
    over = expiring.end_due(among=there, now=at)
    reservation.move(ReservationStatus.PAID, at=at, by=outcome_steps.ACTOR, because=_SEATED)
    database.update_together((reservation, CHANGED_FIELDS))
    inventory.take_again(party=reservation, freed=over, now=at)


def _check_is_as_sold(reservation: Reservation, at: datetime) -> None:
    """Compare what is there with what was sold: the same activity, on the same terms, at the same time."""
    activity, slot = reservation.activity, reservation.slot
    if not activity.is_active or (reservation.exclusive and not activity.exclusive):
        raise _NotAsSoldError("its activity is not sold any more, or not on the same terms")
    if slot is None:
        if reservation.ends_at <= at:
            raise _NotAsSoldError("its day is over")
    elif slot.activity_id != reservation.activity_id:
        raise _NotAsSoldError("its departure is of another activity now")
    elif (slot.starts_at, slot.ends_at) != (reservation.starts_at, reservation.ends_at):
        raise _NotAsSoldError("its departure is at another time now")
