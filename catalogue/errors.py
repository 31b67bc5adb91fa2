"""Why what is on sale cannot be had, or changed."""

from typing import Literal

from common.errors import ConflictError, ValidationError


class SlotSoldOutError(ConflictError):
    """There are not enough places left."""

    code = "slot_sold_out"

    def __init__(self, *, available: int) -> None:
        left = "no place" if available == 0 else "only 1 place" if available == 1 else f"only {available} places"
        super().__init__(f"This departure has {left} left.", param="units")


class SlotClosedError(ConflictError):
    """The departure takes no reservations (any more)."""

    code = "slot_closed"

    def __init__(
        self, message: str = "This departure takes no reservations.", *, param: Literal["slot_id", "date"] = "slot_id"
    ) -> None:
        super().__init__(message, param=param)


class DayOverError(SlotClosedError):
    """The day is over where the activity is."""

    def __init__(self) -> None:
        super().__init__("This day is over.", param="date")


class UnknownUnitError(ValidationError):
    """The activity has no rate for this unit."""

    def __init__(self, *, position: int, unit: str) -> None:
        super().__init__(
            param=f"units.{position}.unit",
            code="invalid_unit",
            message=f"This activity has no price for the unit {unit!r}.",
        )


class TooManyDeparturesError(ConflictError):
    """A rule is of more departures than can be made at once."""

    code = "too_many_departures"

    def __init__(self, *, most: int) -> None:
        super().__init__(f"This rule makes more than {most} departures. Choose a shorter period.")
