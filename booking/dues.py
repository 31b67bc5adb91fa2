"""What is due of a reservation by when, as it was sold.

There is no table of dues: a schedule says how much has to be paid in all by a time, and the rest is reckoned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from booking.models import Reservation
from booking.states import ReservationStatus
from catalogue import plans
from common.times import rfc3339
from payments.states import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A part that has to be paid by a time."""

    purpose: str
    amount: int
    """In minor units."""
    by: datetime | None
    """None: at once."""
    status: str
    """``open``, ``secured`` (held, or being captured) or ``paid``."""


def due_now(reservation: Reservation, *, at: datetime) -> int:
    """Return what is due and not paid by now.

    In minor units; less than 0 where more is paid than is due.
    """
    return _reached(reservation.schedule, owed=reservation.amount_owed, at=at) - _paid(reservation)


def due_with(reservation: Reservation, *, difference: int, later_by: timedelta, at: datetime) -> int:
    """Return what of a difference would be due now.

    In minor units: if the price were so much more, and the departure so much later. What is held counts as paid.
    """
    schedule, owed = moved(reservation.schedule, by=later_by), reservation.amount_owed + difference
    missing = _reached(schedule, owed=owed, at=at) - _paid(reservation) - _secured(reservation)
    return max(0, min(difference, missing))


def moved(schedule: Sequence[plans.Step], *, by: timedelta) -> list[plans.Step]:
    """Return a schedule whose times are so much later."""
    later = [(step["target"], _time(step["by"])) for step in schedule]
    return [{"by": None if at is None else rfc3339(at + by), "target": target} for target, at in later]


def list_of(reservation: Reservation) -> Sequence[Due]:
    """List what is due, in order."""
    secured, paid = _secured(reservation), _paid(reservation)
    rows, before = [], 0
    steps = _targets(reservation.schedule, owed=reservation.amount_owed)
    for number, (target, by) in enumerate(steps):
        amount = target - before
        if amount <= 0:
            continue
        status = "paid" if paid >= target else "secured" if paid + secured >= target else "open"
        purpose = "payment" if len(steps) == 1 else "balance" if number else "deposit"
        rows.append(Due(purpose=purpose, amount=amount, by=by, status=status))
        before = target
    return rows


def next_at(reservation: Reservation) -> datetime | None:
    """Return when something more is due; None: nothing more."""
    if not reservation.is_active:
        return None
    paid = _paid(reservation)
    return next(
        (
            by
            for target, by in _targets(reservation.schedule, owed=reservation.amount_owed)
            if by is not None and target > paid
        ),
        None,
    )


def _targets(schedule: Sequence[plans.Step], *, owed: int) -> list[tuple[int, datetime | None]]:
    """Return a schedule as sums that are to be paid in all; never more than is owed."""
    return [(owed if step["target"] is None else min(owed, step["target"]), _time(step["by"])) for step in schedule]


def _reached(schedule: Sequence[plans.Step], *, owed: int, at: datetime) -> int:
    """Return what has to be paid in all by a time."""
    return max((target for target, by in _targets(schedule, owed=owed) if by is None or by <= at), default=0)


def _time(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


def _paid(reservation: Reservation) -> int:
    return reservation.amount_owed - reservation.balance


def _secured(reservation: Reservation) -> int:
    """Add up what is held, or is being captured."""
    if not reservation.is_active:
        return 0
    states = {PaymentStatus.ON_HOLD}
    if reservation.status == ReservationStatus.CONFIRMED:
        states.add(PaymentStatus.PROCESSING)
    return sum(payment.amount for payment in reservation.payments if payment.status in states)
