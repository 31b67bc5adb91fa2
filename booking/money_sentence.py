"""Where the money of a reservation is, in one sentence."""

from booking import balance
from booking.models import Reservation
from booking.states import HOLDING, ReservationStatus
from common import currencies
from payments.states import PaymentStatus


def tell(row: Reservation) -> str:
    """Say what of its money is held, proven, back, or to come."""
    said = _of_hold(row) if row.status in HOLDING else _of_money(row)
    on_its_way = sum(payment.amount_refunding for payment in row.payments)
    surplus = -balance.balance(row)
    if on_its_way:
        said += f"; {_shown(row, on_its_way)} on the way back"
    if surplus > 0:
        said += f"; {_shown(row, surplus)} too much, which a person has to give back"
    return f"{said}."


def _of_hold(row: Reservation) -> str:
    owed = _shown(row, row.amount_owed)
    if row.payment.status == PaymentStatus.ON_HOLD:
        return f"{owed} on hold"
    if row.payment.status == PaymentStatus.FAILED:
        return f"{owed} to pay, the card was declined, and another may follow"
    return f"{owed} to pay, and nothing held yet"


def _of_money(row: Reservation) -> str:
    proven, owed = row.amount_proven, row.amount_owed
    if proven and proven < owed:
        rest = _shown(row, balance.balance(row))
        return f"{_shown(row, proven)} of {_shown(row, owed)} paid, {rest} to pay{_tried(row)}"
    if proven and row.is_active:
        return f"{_shown(row, proven)} paid, nothing to pay"
    if proven:
        return f"{_shown(row, proven)} taken, and nothing owed"
    if back := sum(payment.amount_captured for payment in row.payments):
        keeps = " and the guest keeps the places" if row.status == ReservationStatus.CONFIRMED else " and nothing owed"
        return f"{_shown(row, back)} given back,{keeps}"
    if row.status == ReservationStatus.CONFIRMED:
        return f"{_shown(row, owed)} being captured"
    return "No money taken, and nothing owed"


def _tried(row: Reservation) -> str:
    """Say what an attempt to pay the rest has come to."""
    if not row.payment.is_final:
        return f"; a payment of {_shown(row, row.payment.amount)} is in progress"
    last = row.payments[-1]
    return f"; a payment of {_shown(row, last.amount)} was declined" if last.status == PaymentStatus.FAILED else ""


def _shown(row: Reservation, amount: int) -> str:
    return currencies.shown(amount, row.currency)
