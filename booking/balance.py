"""The balance of a reservation, and what evens it out.

:func:`even_out` alone gives surplus back, and sets the status by the sums.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Sum

from booking.models import Adjustment, Reservation
from booking.states import HOLDING, AdjustmentKind, ReservationStatus
from catalogue import inventory
from common import currencies
from payments import outcome_steps
from payments.models import Refund
from payments.outcome_types import Effect
from payments.states import REFUND_OVER_WITHOUT_MONEY, CommandKind, CommandStatus, PaymentStatus


def balance(reservation: Reservation) -> int:
    """Return what has to be paid still; less than 0 is surplus.

    In minor units. What is on its way back counts as given back.
    """
    return reservation.amount_owed - reservation.amount_proven + reservation.payment.amount_refunding


def even_out(reservation: Reservation, *, at: datetime, by: str, because: str) -> list[Any]:
    """Give surplus back, close what nobody needs, set the status.

    The reservation and its payment are locked; called last wherever what is owed, proven or on its way back has
    changed. Run again it changes nothing. Returns the rows to store; the caller writes the changed fields of both
    (``models.CHANGED_FIELDS``, ``refund_steps.CHANGED_FIELDS``), together with them or before.
    """
    return [*_give_back(reservation, at), *_close(reservation, at), *_turn(reservation, at, by, because)]


def effect_of(rows: Sequence[Any]) -> Effect | None:
    """Tell by the rows to store whether money is given back."""
    return Effect.REFUNDING if any(isinstance(row, Refund) for row in rows) else None


def part_paid(reservation: Reservation) -> str:
    """Say how much of what is owed is proven."""
    sums = (reservation.amount_proven, reservation.amount_owed)
    part, whole = (currencies.shown(amount, reservation.currency) for amount in sums)
    return f"{part} of {whole} are paid"


def end(reservation: Reservation, *, at: datetime, by: str, because: str) -> list[Adjustment]:
    """Owe nothing any more for a locked reservation that ends.

    Returns the row that says so, if something was owed.
    """
    owed, reservation.amount_owed = reservation.amount_owed, 0
    if not owed:
        return []
    row = Adjustment(kind=AdjustmentKind.END, reservation=reservation, amount=-owed, at=at, actor=by, reason=because)
    return [row]


def owe_again(reservation: Reservation) -> None:
    """Owe again what was sold, less what was given up.

    For a locked reservation that is seated again.
    """
    given_up = reservation.adjustments.aggregate(total=Sum("amount"))["total"] or 0
    reservation.amount_owed = reservation.amount + given_up


def _give_back(reservation: Reservation, at: datetime) -> Sequence[Any]:
    """Request a refund of surplus, if its payment can be refunded.

    A refund that was refused for good, or withdrawn, is not asked for again until a person says so; what a bank holds
    or has taken in a dispute is not given back.
    """
    payment = reservation.payment
    surplus = min(-balance(reservation), payment.amount_refundable)
    if surplus <= 0 or payment.is_disputed:
        return []
    if payment.refunds.filter(status__in=sorted(REFUND_OVER_WITHOUT_MONEY), replaced_by=None).exists():
        return []
    return outcome_steps.refund_late(payment, at, amount=surplus)


def _close(reservation: Reservation, at: datetime) -> Sequence[Any]:
    """Release what can still take money for a reservation that is over (P7).

    What is being captured, and could not be closed, is left to land: then it is surplus.
    """
    payment = reservation.payment
    if reservation.is_active or payment.is_final:
        return []
    closed = payment.commands.filter(kind=CommandKind.CANCEL, status=CommandStatus.DONE)
    if payment.status == PaymentStatus.PROCESSING and closed.exists():
        return []
    return outcome_steps.release(payment, at, reason="a hold for a reservation that is over")


def _turn(reservation: Reservation, at: datetime, by: str, because: str) -> list[Any]:
    """Set the status of an active reservation by its sums; what has all its money back ends, and frees its places."""
    owed, proven = reservation.amount_owed, reservation.amount_proven
    if not reservation.is_active:
        return []
    if proven == 0:
        return _all_is_back(reservation, at, by) if reservation.payment.amount_captured else []
    if proven >= owed:
        if reservation.status != ReservationStatus.PAID:
            reservation.move(ReservationStatus.PAID, at=at, by=by, because=because)
    elif reservation.status in HOLDING or reservation.status == ReservationStatus.PAID:
        reservation.move(ReservationStatus.CONFIRMED, at=at, by=by, because=part_paid(reservation))
    return []


def _all_is_back(reservation: Reservation, at: datetime, by: str) -> list[Any]:
    """End a reservation whose money is back with the guest, unless the last refund lets the guest keep the places."""
    last = reservation.adjustments.filter(kind=AdjustmentKind.GOODWILL).order_by("-id").first()
    if last is not None and last.keeps_places:
        if reservation.status == ReservationStatus.PAID:
            reservation.move(
                ReservationStatus.CONFIRMED, at=at, by=by, because="refunded in full; the guest keeps the places"
            )
        return []
    rows = end(reservation, at=at, by=by, because="refunded in full")
    reservation.move(ReservationStatus.REFUNDED, at=at, by=by, because="refunded in full")
    inventory.release([reservation])
    return list(rows)


def goodwill(
    reservation: Reservation, refund: Refund, *, surplus: int, at: datetime, by: str, keeps_places: bool = False
) -> list[Adjustment]:
    """Lower what is owed by a refund that is no surplus.

    The reservation is locked; ``surplus`` is what it had before the refund. Returns the row to store, if any.
    """
    amount = max(0, min(refund.amount - max(surplus, 0), reservation.amount_owed))
    if not amount and not keeps_places:
        return []
    reservation.amount_owed -= amount
    row = Adjustment(
        reservation=reservation, kind=AdjustmentKind.GOODWILL, amount=-amount, refund=refund,
        keeps_places=keeps_places, at=at, actor=by, reason=refund.reason,
    )  # fmt: skip
    return [row]


def take_goodwill_back(reservation: Reservation, refund: Refund, *, at: datetime, by: str) -> list[Adjustment]:
    """Owe again what a refund made at the provider had lowered.

    It has failed, and the reservation is locked. Of one that is over nothing is owed again. Returns the row to store,
    if any.
    """
    given = reservation.adjustments.filter(refund=refund, kind=AdjustmentKind.GOODWILL).first()
    if given is None or not reservation.is_active:
        return []
    reservation.amount_owed -= given.amount
    row = Adjustment(
        reservation=reservation, kind=AdjustmentKind.REVERSAL, amount=-given.amount, refund=refund,
        at=at, actor=by, reason="the refund failed",
    )  # fmt: skip
    return [row]
