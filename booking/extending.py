"""Extend: a hold lasts longer, up to its ceiling and the provider's."""

from datetime import timedelta
from uuid import UUID

from booking import holds, locks
from booking.errors import HoldCeilingError, HoldExpiredError
from booking.models import CHANGED_FIELDS, History, Reservation
from booking.states import HOLDING
from common import database
from common.locking import AsOf
from common.states import InvalidStateError
from tenants import clocks
from tenants.models import Operator


def extend(
    *, operator: Operator, reservation_id: UUID, minutes: int, actor: str, reason: str, is_from_now: bool = False
) -> AsOf[Reservation]:
    """Extend a live hold by some minutes, noted in its history.

    ``is_from_now``: it lasts so long from now, and nothing changes if it does already; a second run adds nothing.
    Outside a transaction.

    Raises:
        NotFoundError: The operator has no such reservation.
        HoldExpiredError: Its time is over, by the database's clock.
        InvalidStateError: It is no hold (any more).
        HoldCeilingError: It would live longer than any hold may, or than the provider holds the money.
    """
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator.pk)
        reservation, at = locked.row, locked.at
        if reservation.is_due(at):
            raise HoldExpiredError
        if reservation.status not in HOLDING or reservation.expires_at is None:
            raise InvalidStateError(kind="reservation", status=reservation.status, wanted="extended")
        wanted = (at if is_from_now else reservation.expires_at) + timedelta(minutes=minutes)
        if wanted <= reservation.expires_at:
            return locked
        latest = holds.latest_end(reservation)
        if wanted > latest:
            raise HoldCeilingError(latest=latest, zone=reservation.activity.timezone)
        reservation.expires_at = wanted
        database.update_together((reservation, CHANGED_FIELDS))
        until = f"the hold lasts until {clocks.when(wanted, reservation.activity.timezone)}"
        History.noting(reservation, at=at, actor=actor, reason=f"{reason} ({until})").save(force_insert=True)
    return locked
