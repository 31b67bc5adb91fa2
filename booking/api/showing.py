"""A reservation as a caller may see it."""

from typing import Any
from uuid import UUID

from booking import queries
from booking.api import presenters
from booking.models import Reservation
from common.locking import AsOf
from tenants.callers import Caller


def get_reservation(caller: Caller, reservation_id: UUID) -> AsOf[Reservation]:
    """Read a reservation that the caller may see."""
    return queries.get_reservation(operator=caller.operator, reservation_id=reservation_id, own=caller.own)


def check_own(caller: Caller, reservation_id: UUID) -> None:
    """Let a customer touch no other's.

    Its owner never changes, so checking before the lock is enough.
    """
    if caller.is_customer:
        get_reservation(caller, reservation_id)


def pair(found: AsOf[Reservation], caller: Caller) -> dict[str, Any]:
    """Show a reservation beside its payments."""
    row = found.row
    shown = presenters.reservation_and_payment(row, queries.units(row), queries.adjustments(row), now=found.at)
    if caller.is_reading_program:
        return presenters.for_program(shown)
    return shown if caller.may_pay else presenters.without_secrets(shown)
