"""Times as people read them, in a local time zone.

Both readings of an hour that comes twice are told apart.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.timezone import get_current_timezone_name

from common import times


def when(at: datetime | None, zone: str = "", *, seconds: bool = False) -> str:
    """Write a time in a zone (empty: the page's).

    A zone other than the page's is named.
    """
    zone = zone or get_current_timezone_name()
    return "—" if at is None else f"{written(at, zone, seconds=seconds)}{named(zone)}"


def written(at: datetime, zone: str, *, seconds: bool = False) -> str:
    """Write a time with weekday; mark ambiguous hours."""
    at = local(at, zone)
    # Years before 1000 are written by isoformat as they should be, and by strftime not.
    return f"{at:%a} {at.date().isoformat()} {at:{'%H:%M:%S' if seconds else '%H:%M'}}{_which(at)}"


def hour(at: datetime, zone: str) -> str:
    """Write the time of day, where the day is shown beside."""
    at = local(at, zone)
    return f"{at:%H:%M}{_which(at)}{named(zone)}"


def named(zone: str) -> str:
    """Name a zone, unless it is the page's."""
    return "" if zone == get_current_timezone_name() else f" ({zone})"


def instants(shown: datetime, zone: str) -> list[datetime]:
    """List the moments of a local time: none, one or two.

    None if the clocks skip it, two if it comes twice.
    """
    place, found = ZoneInfo(zone), []
    for fold in (0, 1):
        at = shown.replace(tzinfo=place, fold=fold).astimezone(UTC)
        if at not in found and at.astimezone(place).replace(tzinfo=None, fold=0) == shown:
            found.append(at)
    return found


def local(at: datetime, zone: str) -> datetime:
    """Return a time by the clock of a place."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except OverflowError:  # at the ends of what can be written
        return at


def _which(at: datetime) -> str:
    return f" {at:%Z}" if times.comes_twice(at) else ""
