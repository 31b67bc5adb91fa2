"""The local day of an activity: 23 to 25 hours long."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from common.errors import ValidationError


def times_of(*, day: date, zone: str) -> tuple[datetime, datetime]:
    """Return the first moment of a day, and of the day after.

    A midnight that comes twice is the first one; one that the clocks skip is the moment when they do.

    Raises:
        ValidationError: The calendar does not reach so far, or has no such day there.
    """
    try:
        start, end = (
            datetime.combine(each, time.min, ZoneInfo(zone)).astimezone(UTC) for each in (day, day + timedelta(days=1))
        )
    except OverflowError as error:
        raise ValidationError(param="date", code="invalid", message="This date is out of range.") from error
    if start >= end:
        raise ValidationError(param="date", code="invalid", message=f"This day does not exist in {zone}.")
    return start, end


def today(*, zone: str, now: datetime) -> date:
    """Return what day it is there."""
    return now.astimezone(ZoneInfo(zone)).date()
