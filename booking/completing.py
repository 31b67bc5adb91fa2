"""Do a change: move the seat, price it, free the old."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from booking import dues, on_account, seats
from booking.models import CHANGED_FIELDS, Adjustment, Change, Reservation, Unit
from booking.states import AdjustmentKind, ChangeStatus, PayBy
from catalogue import terms
from common import database
from payments import commands, execution
from payments.models import Payment
from payments.states import CommandKind, PaymentStatus

FIELDS = ("places", "amount", *CHANGED_FIELDS)
"""Every field of a reservation that :func:`complete` leaves to its caller to write."""


def complete(reservation: Reservation, change: Change, *, at: datetime, by: str, because: str) -> Sequence[seats.Freed]:
    """Do the open change of a locked reservation; returns what it leaves.

    Stores the change, the units and the adjustment, and moves the seat; the caller evens out, writes ``FIELDS``, and
    gives back what is left last, since that locks a slot.
    """
    left = seats.Freed(reservation.slot_id, reservation.places)
    asked_by, reason = change.changed_by, change.changed_because
    database.name_actor(by, because)
    seats.end_change(reservation, ChangeStatus.DONE, at=at, by=by, because=because)
    is_moved = change.slot_id != reservation.slot_id
    if is_moved:
        _move(reservation, change, at, by=asked_by, because=reason)
    reservation.places += len(change.sold)
    reservation.amount += change.amount
    reservation.amount_owed += change.amount
    reservation.changed_at, reservation.changed_by, reservation.changed_because = at, by, because
    database.insert_together(*_rows(reservation, change, at, by=asked_by, reason=reason))
    return [left] if is_moved else []


def capture(payment: Payment, *, at: datetime, by: str) -> None:
    """Take the money that is held for a change that is done.

    The payment is locked, and written by the caller.
    """
    payment.move(PaymentStatus.PROCESSING, at=at, by=by, because="capture requested")
    command = commands.new(
        payment=payment, kind=CommandKind.CAPTURE, requested_by=by, reason="the change is done", now=at
    )
    database.insert_together(command)
    execution.queue(command_id=command.pk)


def keep_stage(reservation: Reservation, at: datetime) -> None:
    """Keep the worst rule of the terms that was reached.

    A move never betters them.
    """
    if reservation.terms is not None:
        reached = terms.stage(reservation.terms, starts_at=reservation.starts_at, now=at)
        reservation.terms_stage = max(reservation.terms_stage, reached)


def _move(reservation: Reservation, change: Change, at: datetime, *, by: str, because: str) -> None:
    """Move the seat, written by itself: the history tells a move apart from a change of status."""
    keep_stage(reservation, at)
    slot = change.slot
    reservation.schedule = dues.moved(reservation.schedule, by=slot.starts_at - reservation.starts_at)
    reservation.slot = slot
    reservation.starts_at, reservation.ends_at = slot.starts_at, slot.ends_at
    reservation.changed_at, reservation.changed_by, reservation.changed_because = at, by, because
    explained = ("changed_at", "changed_by", "changed_because")
    database.update_together((reservation, ("slot", "change", "schedule", "terms_stage", *explained)))


def _rows(reservation: Reservation, change: Change, at: datetime, *, by: str, reason: str) -> list[Any]:
    """Draw up the units that are added, and what else the price becomes more or less by."""
    rows: list[Any] = [
        Unit(reservation=reservation, unit=rate["unit"], name=rate["name"], amount=rate["amount"])
        for rate in change.sold
    ]
    repriced = change.amount - sum(rate["amount"] for rate in change.sold)
    if repriced:
        rows.append(
            Adjustment(
                reservation=reservation, kind=AdjustmentKind.CHANGE, amount=repriced, change=change, at=at, actor=by,
                reason=reason,
            )
        )  # fmt: skip
    if reservation.pay_by == PayBy.ACCOUNT and change.amount > 0:
        rows.append(on_account.put(reservation, change.amount, at=at, by=by, reason="changed on account"))
    return rows
