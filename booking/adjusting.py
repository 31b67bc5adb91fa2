"""Adjustments by a person or a program: extras, fees, discounts, goodwill."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking import balance, locks
from booking.errors import BeingRefundedError, HoldExpiredError, PaymentInProgressError
from booking.models import Adjustment, Reservation
from booking.states import HOLDING, SELLING, AdjustmentKind
from common import currencies, database
from common.errors import ValidationError
from common.locking import AsOf
from common.states import InvalidStateError
from tenants.models import Operator

BY_HAND = (AdjustmentKind.EXTRA, AdjustmentKind.FEE, AdjustmentKind.DISCOUNT, AdjustmentKind.GOODWILL)
"""What may be asked for; the others follow from something."""
_RAISES = (AdjustmentKind.EXTRA, AdjustmentKind.FEE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to add, or to take off."""

    kind: AdjustmentKind
    amount: int
    """In minor units, more than 0; the kind says which way."""
    name: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """An adjustment, and its reservation as it is now."""

    adjustment: Adjustment
    reservation: AsOf[Reservation]


def adjust(*, operator: Operator, reservation_id: UUID, operation_id: UUID, actor: str, request: Request) -> Adjusted:
    """Add to what is owed, or take off; surplus goes back.

    ``operation_id`` becomes the adjustment's: a second run with it changes nothing. Must be called outside a
    transaction.

    Raises:
        NotFoundError: The operator has no such reservation.
        HoldExpiredError, InvalidStateError: It holds no places.
        PaymentInProgressError: It is a hold, and an attempt to pay its price lives.
        ValidationError: It would owe less than nothing.
    """
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator.pk)
        reservation, at = locked.row, locked.at
        earlier = reservation.adjustments.filter(pk=operation_id).first()
        if earlier is not None:
            return Adjusted(adjustment=earlier, reservation=locked)
        _check(reservation, at)
        amount = request.amount if request.kind in _RAISES else -request.amount
        row = Adjustment(
            id=operation_id, reservation=reservation, kind=request.kind, amount=amount, name=request.name,
            keeps_places=request.kind == AdjustmentKind.GOODWILL, at=at, actor=actor, reason=request.reason,
        )  # fmt: skip
        _store(reservation, row, at)
    return Adjusted(adjustment=row, reservation=locked)


def withdraw(*, adjustment_id: UUID, operation_id: UUID, actor: str, reason: str) -> Adjustment:
    """Take an extra, a fee or a discount back.

    Outside a transaction. Raises as :func:`adjust`.
    """
    with database.use_case():
        found = Adjustment.objects.get(pk=adjustment_id)
        locked = locks.get_reservation_for_update(pk=found.reservation_id)
        reservation, at = locked.row, locked.at
        earlier = reservation.adjustments.filter(withdraws=found).first()
        if earlier is not None and earlier.pk == operation_id:
            return earlier
        if earlier is not None or found.kind not in SELLING or found.kind not in BY_HAND:
            raise InvalidStateError(kind="adjustment", status=found.kind, wanted="taken back")
        _check(reservation, at)
        row = Adjustment(
            id=operation_id, reservation=reservation, kind=AdjustmentKind.WITHDRAWAL, amount=-found.amount,
            name=found.name, withdraws=found, at=at, actor=actor, reason=reason,
        )  # fmt: skip
        _store(reservation, row, at)
    return row


def check_price_is_open(reservation: Reservation) -> None:
    """Refuse where a price is fixed.

    Raises:
        PaymentInProgressError: It is a hold, and an attempt to pay its price lives.
        BeingRefundedError: All its money is on the way back.
    """
    if reservation.status in HOLDING and reservation.live_payment is not None:
        raise PaymentInProgressError
    if balance.is_being_refunded(reservation):
        raise BeingRefundedError


def _check(reservation: Reservation, at: datetime) -> None:
    if reservation.is_due(at):
        raise HoldExpiredError
    if not reservation.is_active:
        raise InvalidStateError(kind="reservation", status=reservation.status, wanted="adjusted")
    check_price_is_open(reservation)


def _store(reservation: Reservation, row: Adjustment, at: datetime) -> None:
    owed, sold = reservation.amount_owed + row.amount, reservation.amount
    sold += row.amount if row.kind in SELLING else 0
    if owed < 0 or sold < 0:
        most = currencies.shown(min(reservation.amount_owed, reservation.amount), reservation.currency)
        raise ValidationError(param="amount", code="invalid_amount", message=f"At most {most} can be taken off.")
    reservation.amount_owed, reservation.amount = owed, sold
    reservation.changed_at, reservation.changed_by, reservation.changed_because = at, row.actor, row.reason
    database.insert_together(row)
    because = f"{row.kind}: {row.reason}".strip(": ")
    balance.settle(reservation, at=at, by=row.actor, because=because, also=("amount",))
