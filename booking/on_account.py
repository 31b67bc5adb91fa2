"""What stands on a reseller's account, as a receipt."""

from datetime import datetime

from booking.models import Receipt, Reservation
from booking.states import ReceiptMethod


def put(reservation: Reservation, amount: int, *, at: datetime, by: str, reason: str) -> Receipt:
    """Put an amount on the account; less than nothing takes it off.

    In minor units. The reservation is locked, or new. Returns the row to store.
    """
    reservation.amount_collected += amount
    return Receipt(
        reservation=reservation, method=ReceiptMethod.ACCOUNT, amount=amount, at=at, actor=by, reason=reason,
        approved_at=at, approved_by=by,
    )  # fmt: skip
