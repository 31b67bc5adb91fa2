"""What is sold to whom: reservations, their units and their history."""

from booking.models.changes import CHANGE_FIELDS, Change
from booking.models.history import History
from booking.models.money import Adjustment, Receipt, Till
from booking.models.reservation import CHANGED_FIELDS, MANAGES, Reservation
from booking.models.sold import Occupancy, Unit

__all__ = [
    "CHANGED_FIELDS",
    "CHANGE_FIELDS",
    "MANAGES",
    "Adjustment",
    "Change",
    "History",
    "Occupancy",
    "Receipt",
    "Reservation",
    "Till",
    "Unit",
]
