"""Places of a reservation and its open change: taken, and given up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError

from booking.models import CHANGE_FIELDS, Change, Reservation
from booking.states import ChangeStatus
from catalogue.errors import SlotClosedError, SlotSoldOutError
from catalogue.inventory import Party
from common import database


@dataclass(frozen=True, slots=True)
class Freed:
    """Places that are given back."""

    slot_id: UUID | None
    places: int


@contextmanager
def taking_another_slot() -> Iterator[None]:
    """Say for the caller what the database refuses, up to COMMIT.

    Raises:
        SlotSoldOutError: Another party has the exclusive activity at that time.
        SlotClosedError: It was sold for one party, and the activity is not any more.
    """
    try:
        yield
    except IntegrityError as error:
        match database.violated(error):
            case "occupancy_one_party":
                raise SlotSoldOutError(available=0) from error
            case "reservation_as_offered":
                raise SlotClosedError from error
        raise


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
