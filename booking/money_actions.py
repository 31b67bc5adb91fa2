"""Backoffice actions on the money of a reservation."""

from decimal import Decimal
from uuid import UUID

from adminkit.actions import reasoned
from booking import adjusting, receipts
from booking.forms import AdjustmentForm, AmountForm, ChangeForm, ReceiptForm
from booking.models import Reservation
from booking.states import SELLING, AdjustmentKind, ReceiptMethod
from common import currencies, ids
from common.errors import ValidationError
from common.states import InvalidStateError
from payments import refunds
from payments.errors import RefundExceedsPaymentError
from tenants.roles import Permission


def take(row: Reservation, actor: str, reason: str, method: str, amount: Decimal | None, reference: str) -> str:
    """Take money that no provider takes."""
    done = receipts.take(
        operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=actor,
        request=_receipt(row, method, amount, reference, reason),
    )  # fmt: skip
    money = currencies.shown(done.receipt.amount, row.currency)
    if done.receipt.approved_at is None:
        return f"{money} of {row.customer_name} counts when a second person has approved it."
    return f"{money} of {row.customer_name} is taken ({done.receipt.get_method_display().lower()})."


def pay_out(row: Reservation, actor: str, reason: str, method: str, amount: Decimal | None, reference: str) -> str:
    """Give surplus back by hand."""
    receipt = receipts.pay_out(
        operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=actor,
        request=_receipt(row, method, amount, reference, reason),
    )  # fmt: skip
    return f"{currencies.shown(-receipt.amount, row.currency)} is paid out to {row.customer_name}."


def adjust(row: Reservation, actor: str, reason: str, kind: str, amount: Decimal, name: str) -> str:
    """Add to the price, or take off."""
    wanted = adjusting.Request(
        kind=AdjustmentKind(kind), amount=currencies.to_minor(amount, row.currency), name=name, reason=reason
    )
    if wanted.amount <= 0:
        raise ValidationError(param="amount", code="invalid_amount", message="An amount must be more than zero.")
    done = adjusting.adjust(
        operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=actor, request=wanted
    )
    owed = currencies.shown(done.reservation.row.amount_owed, row.currency)
    return f"{done.adjustment}. {row.customer_name} owes {owed} in all."


def withdraw(row: Reservation, actor: str, reason: str, adjustment_id: UUID) -> str:
    """Take an extra, a fee or a discount back."""
    made = adjusting.withdraw(adjustment_id=adjustment_id, operation_id=ids.new_id(), actor=actor, reason=reason)
    return f"{made} is taken back for {row.customer_name}."


def refund(row: Reservation, actor: str, reason: str, amount: Decimal | None) -> str:
    """Give money back, of the newest payment first."""
    left = _refundable(row)
    if not any(payment.amount_captured for payment in row.payments):
        status = row.payment.status if row.payment is not None else "not made"
        raise InvalidStateError(kind="payment", status=status, wanted="refunded")
    wanted = left if amount is None else currencies.to_minor(amount, row.currency)
    if not 0 < wanted <= left:
        raise RefundExceedsPaymentError(left=left, currency=row.currency)
    open_amount = wanted
    for payment in reversed(row.payments):
        part = min(open_amount, payment.amount_refundable)
        if part:
            refunds.request(
                operator=row.operator, payment_id=payment.pk, operation_id=ids.new_id(), amount=part,
                reason="requested_by_customer", actor=actor,
            )  # fmt: skip
            open_amount -= part
    return f"{currencies.shown(wanted, row.currency)} is being refunded to {row.customer_name}."


def _receipt(row: Reservation, method: str, amount: Decimal | None, reference: str, reason: str) -> receipts.Request:
    minor = None if amount is None else currencies.to_minor(amount, row.currency)
    return receipts.Request(method=ReceiptMethod(method), amount=minor, reference=reference, reason=reason)


def _refundable(row: Reservation) -> int:
    return sum(payment.amount_refundable for payment in row.payments)


ACTIONS = (
    reasoned(
        "Take cash and the like", take, name="take", permission=Permission.RESERVATIONS, form=ReceiptForm,
        fits=lambda row: row.is_active and row.balance > 0,
    ),
    reasoned(
        "Pay out", pay_out, name="pay_out", permission=Permission.MONEY, form=ReceiptForm,
        fits=lambda row: row.balance < 0,
    ),
    reasoned(
        "Extra, discount, goodwill", adjust, name="adjust", permission=Permission.MONEY, form=AdjustmentForm,
        fits=lambda row: row.is_active,
    ),
    reasoned(
        "Take an extra or a discount back", withdraw, name="withdraw", permission=Permission.MONEY, form=ChangeForm,
        fits=lambda row: row.is_active and any(change.kind in SELLING for change in row.adjustments.all()),
    ),
    reasoned(
        "Refund", refund, name="refund", permission=Permission.MONEY, form=AmountForm,
        fits=lambda row: _refundable(row) > 0,
    ),
)  # fmt: skip
