"""Where the money of a reservation is, in one sentence."""

from booking.models import Reservation
from booking.states import HOLDING, PayBy
from common import currencies
from payments.models import Payment
from payments.states import PaymentStatus
from tenants import clocks


def tell(row: Reservation) -> str:
    """Say what of its money is held, proven, back, or to come."""
    said = _of_hold(row) if row.status in HOLDING else _of_money(row)
    on_its_way = row.amount_refunding
    surplus = -row.balance
    if on_its_way:
        said += f"; {_shown(row, on_its_way)} on the way back"
    disputed = sum(payment.amount_captured for payment in row.payments if payment.is_disputed)
    if disputed:
        said += f"; the bank disputes {_shown(row, disputed)}"
    if surplus > 0:
        said += f"; {_shown(row, surplus)} too much, which a person has to give back"
    if row.change is not None and row.change.amount_due:
        until = clocks.when(row.change.expires_at, row.activity.timezone)
        said += f"; {_shown(row, row.change.amount_due)} to pay for a change by {until}"
    return f"{said}."


def _of_hold(row: Reservation) -> str:
    owed, payment = _shown(row, row.amount_owed), row.payment
    if payment is None:
        return f"{owed} to pay, and held without money"
    if payment.status == PaymentStatus.ON_HOLD:
        return f"{_part(row, payment)} on hold"
    if payment.status == PaymentStatus.FAILED:
        return f"{owed} to pay, the card was declined, and another may follow"
    return f"{owed} to pay, and nothing held yet"


def _of_money(row: Reservation) -> str:
    proven, collected, owed, rest = row.amount_proven, row.amount_collected, row.amount_owed, row.balance
    if not row.is_active:
        return _of_over(row)
    if proven or collected:
        to_pay = f"{_shown(row, rest)} to pay{_by(row)}" if rest > 0 else "nothing to pay"
        part = _shown(row, proven + collected)
        paid = f"{part} of {_shown(row, owed)} paid" if rest > 0 else f"{part} paid"
        return f"{paid}{_how(row)}, {to_pay}{_tried(row) if rest > 0 else ''}"
    if back := sum(payment.amount_captured for payment in row.payments):
        return f"{_shown(row, back)} given back, and the guest keeps the places"
    if not owed:
        return "Nothing to pay"
    if row.payment is not None and row.payment.held_at is not None and not row.payment.is_final:
        return f"{_part(row, row.payment)} being captured"
    return f"{_shown(row, owed)} to pay{' on arrival' if row.pay_by == PayBy.ON_ARRIVAL else _by(row)}{_tried(row)}"


def _of_over(row: Reservation) -> str:
    """Say where the money of what is over has gone."""
    taken = row.amount_proven + row.amount_collected
    if row.amount_owed:
        return f"{_shown(row, row.amount_owed)} kept of what {'was paid' if taken else 'is being captured'}"
    if taken:
        return f"{_shown(row, taken)} taken, and nothing owed"
    if back := sum(payment.amount_captured for payment in row.payments):
        return f"{_shown(row, back)} given back, and nothing owed"
    return "No money taken, and nothing owed"


def _part(row: Reservation, payment: Payment) -> str:
    """Say how much of what is owed a payment is of."""
    part, whole = _shown(row, payment.amount), _shown(row, row.amount_owed)
    return f"{part} of {whole}" if payment.amount < row.amount_owed else whole


def _by(row: Reservation) -> str:
    return f" by {clocks.when(row.next_due_at, row.activity.timezone)}" if row.next_due_at is not None else ""


def _how(row: Reservation) -> str:
    """Say how much of it no provider took."""
    if not row.amount_collected:
        return ""
    by = "on account" if row.pay_by == PayBy.ACCOUNT else "by cash and the like"
    return f" ({_shown(row, row.amount_collected)} {by})" if row.amount_proven else f" {by}"


def _tried(row: Reservation) -> str:
    """Say what an attempt to pay the rest has come to."""
    if row.payment is None:
        return ""
    if not row.payment.is_final:
        return f"; a payment of {_shown(row, row.payment.amount)} is in progress"
    last = row.payments[-1]
    return f"; a payment of {_shown(row, last.amount)} was declined" if last.status == PaymentStatus.FAILED else ""


def _shown(row: Reservation, amount: int) -> str:
    return currencies.shown(amount, row.currency)
