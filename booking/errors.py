"""Why a reservation cannot be made or changed."""

from datetime import datetime
from typing import Literal

from common.errors import ConflictError, ValidationError
from payments import currencies
from tenants import clocks


class SlotSoldOutError(ConflictError):
    """There are not enough places left."""

    code = "slot_sold_out"

    def __init__(self, *, available: int) -> None:
        left = (
            "no place is" if available == 0 else "only 1 place is" if available == 1 else f"only {available} places are"
        )
        super().__init__(f"This departure has not enough places: {left} left.", param="units")


class SlotClosedError(ConflictError):
    """The departure takes no reservations (any more)."""

    code = "slot_closed"

    def __init__(
        self, message: str = "This departure takes no reservations.", *, param: Literal["slot_id", "date"] = "slot_id"
    ) -> None:
        super().__init__(message, param=param)


class DayOverError(SlotClosedError):
    """The day is over where the resource is."""

    def __init__(self) -> None:
        super().__init__("This day is over.", param="date")


class ResourceUnavailableError(ConflictError):
    """Somebody else has the exclusive resource for some of that day."""

    code = "resource_unavailable"

    def __init__(self) -> None:
        super().__init__("This activity is already booked for that day, or for a part of it.", param="resource_id")


class HoldExpiredError(ConflictError):
    """The hold's time is over; its places are free again."""

    code = "hold_expired"

    def __init__(self) -> None:
        super().__init__("The time of this hold is over. Make a new reservation.")


class TooManyHoldsError(ConflictError):
    """The caller has as many holds as one may."""

    code = "too_many_holds"
    retry_after = 30

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"At most {limit} reservations may wait for their payment at one time.")


class TooManyPlacesError(ConflictError):
    """The caller would hold more places unpaid than one may."""

    code = "too_many_places"
    retry_after = 30

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"At most {limit} places may be held unpaid at one time.", param="units")


class UnknownUnitError(ValidationError):
    """The resource has no rate for this unit."""

    def __init__(self, *, position: int, unit: str) -> None:
        super().__init__(
            param=f"units.{position}.unit", code="invalid_unit", message=f"There is no rate for {unit!r} here."
        )


class InvalidAmountError(ValidationError):
    """The price is not one that can be charged."""

    def __init__(self, *, amount: int, highest: int, currency: str) -> None:
        wanted, least, most = (currencies.shown(number, currency) for number in (amount, 1, highest))
        super().__init__(
            param="units", code="invalid_amount", message=f"{wanted} cannot be charged; {least} to {most} can."
        )


class HoldCeilingError(ConflictError):
    """A hold may not live so long."""

    code = "hold_ceiling"

    def __init__(self, *, latest: datetime, zone: str) -> None:
        super().__init__(f"This hold may live until {clocks.when(latest, zone)} at the latest.")


class TooManyDeparturesError(ConflictError):
    """A rule is of more departures than can be made at once."""

    code = "too_many_departures"

    def __init__(self, *, most: int) -> None:
        super().__init__(f"This rule makes more than {most} departures. Choose a shorter time.")
