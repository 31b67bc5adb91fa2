"""Backoffice actions on a reservation; each calls the API's function."""

from decimal import Decimal
from uuid import UUID

from adminkit.actions import reasoned
from booking import cancelling, confirming, extending, rescheduling
from booking.forms import AmountForm, MinutesForm, SlotForm
from booking.models import Reservation
from booking.states import HOLDING, ReservationStatus
from catalogue.models import Slot
from common import currencies, ids
from common.states import InvalidStateError
from payments import refunds
from payments.errors import RefundExceedsPaymentError
from tenants import clocks
from tenants.roles import Permission


def confirm(row: Reservation, actor: str, reason: str) -> str:
    """Confirm a hold and capture its money."""
    confirming.confirm(
        operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=actor, reason=reason
    )
    money = currencies.shown(row.payment.amount, row.currency)
    return f"{row.reference} of {row.customer_name} is confirmed; {money} is being captured."


def cancel(row: Reservation, actor: str, reason: str) -> str:
    """Cancel and release the hold."""
    cancelling.cancel(
        operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=actor, reason=reason
    )
    return f"{row.reference} of {row.customer_name} is cancelled; its hold is being released."


def extend(row: Reservation, actor: str, reason: str, minutes: int) -> str:
    """Let a hold live longer."""
    made = extending.extend(operator=row.operator, reservation_id=row.pk, minutes=minutes, actor=actor, reason=reason)
    return f"The hold of {row.customer_name} lasts until {clocks.when(made.expires_at, row.activity.timezone)}."


def move(row: Reservation, actor: str, reason: str, slot_id: UUID) -> str:
    """Move to another departure of the activity."""
    rescheduling.reschedule(operator=row.operator, reservation_id=row.pk, slot_id=slot_id, actor=actor, reason=reason)
    to = Slot.objects.get(pk=slot_id)
    return f"{row.customer_name} is moved to {clocks.when(to.starts_at, row.activity.timezone)}."


def refund(row: Reservation, actor: str, reason: str, amount: Decimal | None) -> str:
    """Give money back, of the newest payment first."""
    left = _refundable(row)
    if not any(payment.amount_captured for payment in row.payments):
        raise InvalidStateError(kind="payment", status=row.payment.status, wanted="refunded")
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


def _refundable(row: Reservation) -> int:
    return sum(payment.amount_refundable for payment in row.payments)


def _is_held(row: Reservation) -> bool:
    return row.status in HOLDING


ACTIONS = (
    reasoned(
        "Extend the hold", extend, name="extend", permission=Permission.RESERVATIONS, form=MinutesForm, fits=_is_held
    ),
    reasoned(
        "Move to another departure",
        move,
        name="move",
        permission=Permission.RESERVATIONS,
        form=SlotForm,
        fits=lambda row: row.is_active and row.slot_id is not None,
    ),
    reasoned(
        "Refund",
        refund,
        name="refund",
        permission=Permission.MONEY,
        form=AmountForm,
        fits=lambda row: _refundable(row) > 0,
    ),
    reasoned(
        "Confirm and capture",
        confirm,
        name="confirm",
        permission=Permission.RESERVATIONS,
        fits=lambda row: row.status == ReservationStatus.PENDING,
    ),
    reasoned("Cancel and release the hold", cancel, name="cancel", permission=Permission.RESERVATIONS, fits=_is_held),
)
