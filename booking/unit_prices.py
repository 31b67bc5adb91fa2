"""What the units of a reservation cost by now."""

from collections.abc import Sequence

from booking import queries
from booking.models import Reservation, Unit
from booking.states import ChangeStatus


def current(reservation: Reservation) -> Sequence[tuple[Unit, int]]:
    """List the units that it has, with their prices (minor units).

    As they were sold, or as the last change that was done has priced them.
    """
    units, repriced = queries.units(reservation), dict[str, int]()
    done = reservation.changes.filter(status=ChangeStatus.DONE).order_by("changed_at", "id")
    for prices in done.values_list("prices", flat=True):
        repriced |= prices
    return [(unit, repriced.get(str(unit.pk), unit.amount)) for unit in units]
