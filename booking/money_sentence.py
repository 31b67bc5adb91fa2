"""Where the money of a reservation is, in one sentence."""

from booking import balance
from booking.models import Reservation
from booking.states import HOLDING, ReservationStatus
from common import currencies
from payments.states import PaymentStatus


def tell(row: Reservation) -> str:
    """Say what of its money is held, proven, back, or to come."""
    said = _of_hold(row) if row.status in HOLDING else _of_money(row)
    on_its_way, surplus = row.payment.amount_refunding, -balance.balance(row)
    if on_its_way:
        said += f"; {_shown(row, on_its_way)} on the way back"
    if surplus > 0:
        said += f"; {_shown(row, surplus)} too much, which a person has to give back"
    return f"{said}."


def _of_hold(row: Reservation) -> str:
    owed = _shown(row, row.amount_owed)
    return f"{owed} on hold" if row.payment.status == PaymentStatus.ON_HOLD else f"{owed} to pay, and nothing held yet"


def _of_money(row: Reservation) -> str:
    payment, proven, owed = row.payment, row.amount_proven, row.amount_owed
    if proven and proven < owed:
        return f"{_shown(row, proven)} of {_shown(row, owed)} paid, {_shown(row, balance.balance(row))} to pay"
    if proven and row.is_active:
        return f"{_shown(row, proven)} paid, nothing to pay"
    if proven:
        return f"{_shown(row, proven)} taken, and nothing owed"
    if payment.amount_captured:
        keeps = " and the guest keeps the places" if row.status == ReservationStatus.CONFIRMED else " and nothing owed"
        return f"{_shown(row, payment.amount_captured)} given back,{keeps}"
    if row.status == ReservationStatus.CONFIRMED:
        return f"{_shown(row, owed)} being captured"
    return "No money taken, and nothing owed"


def _shown(row: Reservation, amount: int) -> str:
    return currencies.shown(amount, row.currency)
