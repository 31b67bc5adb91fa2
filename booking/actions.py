"""Backoffice actions on a reservation; each calls the API's function."""

from decimal import Decimal
from uuid import UUID

from adminkit.actions import reasoned
from booking import cancelling, confirming, extending, fewer_units, money_actions, rescheduling
from booking.forms import CancelForm, FewerForm, MinutesForm, SlotForm
from booking.models import Reservation
from booking.states import HOLDING, ReservationStatus
from catalogue.models import Slot
from catalogue.pricing import WantedUnit
from common import currencies, ids
from tenants import clocks
from tenants.roles import Permission


def confirm(row: Reservation, actor: str, reason: str) -> str:
    """Confirm a hold and capture its money."""
    confirming.confirm(
        operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=actor, reason=reason
    )
    if row.payment is None:
        return f"{row.reference} of {row.customer_name} is confirmed."
    money = currencies.shown(min(row.payment.amount, row.amount_owed), row.currency)
    return f"{row.reference} of {row.customer_name} is confirmed; {money} is being captured."


def cancel(row: Reservation, actor: str, reason: str, how: str, fee: Decimal | None) -> str:
    """Cancel: release the hold, or give back what is not kept."""
    was_held = row.status in HOLDING
    found = cancelling.cancel(
        operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=actor, reason=reason,
        wish=_wish(row, how, fee),
    )  # fmt: skip
    if was_held:
        return f"{row.reference} of {row.customer_name} is cancelled; its hold is being released."
    owed = currencies.shown(found.row.amount_owed, row.currency)
    return f"{row.reference} of {row.customer_name} is cancelled; {owed} is kept."


def cancel_units(
    row: Reservation, actor: str, reason: str, how: str, fee: Decimal | None, unit: str, quantity: int
) -> str:
    """Cancel some units, and keep what is said of their price."""
    fewer_units.cancel(
        operator=row.operator, reservation_id=row.pk, operation_id=ids.new_id(), actor=actor, reason=reason,
        units=[WantedUnit(unit=unit, quantity=quantity)], wish=_wish(row, how, fee),
    )  # fmt: skip
    return f"{quantity} × {unit} of {row.customer_name} {'is' if quantity == 1 else 'are'} cancelled."


def _wish(row: Reservation, how: str, fee: Decimal | None) -> cancelling.Wish:
    kept = None if how != CancelForm.STATED or fee is None else currencies.to_minor(fee, row.currency)
    return cancelling.Wish(fee=kept, is_by_operator=how == CancelForm.BY_US)


def extend(row: Reservation, actor: str, reason: str, minutes: int) -> str:
    """Let a hold live longer."""
    made = extending.extend(operator=row.operator, reservation_id=row.pk, minutes=minutes, actor=actor, reason=reason)
    return f"The hold of {row.customer_name} lasts until {clocks.when(made.row.expires_at, row.activity.timezone)}."


def move(row: Reservation, actor: str, reason: str, slot_id: UUID) -> str:
    """Move to another departure of the activity."""
    rescheduling.reschedule(operator=row.operator, reservation_id=row.pk, slot_id=slot_id, actor=actor, reason=reason)
    to = Slot.objects.get(pk=slot_id)
    return f"{row.customer_name} is moved to {clocks.when(to.starts_at, row.activity.timezone)}."


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
    *money_actions.ACTIONS,
    reasoned(
        "Confirm and capture",
        confirm,
        name="confirm",
        permission=Permission.RESERVATIONS,
        fits=lambda row: row.status == ReservationStatus.PENDING,
    ),
    reasoned(
        "Cancel some places",
        cancel_units,
        name="fewer",
        permission=Permission.RESERVATIONS,
        form=FewerForm,
        fits=lambda row: row.is_active and row.places > 1,
    ),
    reasoned(
        "Cancel",
        cancel,
        name="cancel",
        permission=Permission.RESERVATIONS,
        form=CancelForm,
        fits=lambda row: row.is_active,
    ),
)
