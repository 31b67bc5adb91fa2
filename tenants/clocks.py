"""Times as people read them: by the clock of a place, in one form, and told apart where an hour comes twice."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.timezone import get_current_timezone_name

from common import times


def when(at: datetime | None, zone: str = "", *, seconds: bool = False) -> str:
    """Write a time by the clock of a place (empty: of the page); another place than the page's is named."""
    zone = zone or get_current_timezone_name()
    return "—" if at is None else f"{written(at, zone, seconds=seconds)}{named(zone)}"


def written(at: datetime, zone: str, *, seconds: bool = False) -> str:
    """Write a time with its weekday; of an hour that comes twice, say which of the two it is."""
    at = local(at, zone)
    # Years before 1000 are written by isoformat as they should be, and by strftime not.
    return f"{at:%a} {at.date().isoformat()} {at:{'%H:%M:%S' if seconds else '%H:%M'}}{_which(at)}"


def hour(at: datetime, zone: str) -> str:
    """Write the time of day alone, where the day is told beside it."""
    at = local(at, zone)
    return f"{at:%H:%M}{_which(at)}{named(zone)}"


def named(zone: str) -> str:
    """Name a place, if it is not the one whose clock the page goes by."""
    return "" if zone == get_current_timezone_name() else f" ({zone})"


def instants(shown: datetime, zone: str) -> list[datetime]:
    """List the moments at which the clocks of a place show a time: none if they skip it, two if it comes twice."""
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
