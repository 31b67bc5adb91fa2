"""Places that are given up, of a reservation and its open change."""

from collections.abc import Sequence
from datetime import datetime

from booking.models import CHANGE_FIELDS, Change, Reservation
from booking.states import ChangeStatus
from catalogue.inventory import Party
from common import database


def end_change(reservation: Reservation, to: ChangeStatus, *, at: datetime, by: str, because: str) -> Sequence[Change]:
    """End the open change of a locked reservation, if there is one.

    Its places are the caller's to give back, and the reservation's fields to write.
    """
    change = reservation.change
    if change is None:
        return []
    change.move(to, at=at, by=by, because=because)
    reservation.change = None
    database.update_together((change, CHANGE_FIELDS))
    return [change]


def leave(reservation: Reservation, *, at: datetime, by: str, because: str) -> Sequence[Party]:
    """List whose places a locked reservation gives up as it ends.

    Its open change ends with it.
    """
    return [reservation, *end_change(reservation, ChangeStatus.CANCELLED, at=at, by=by, because=because)]
