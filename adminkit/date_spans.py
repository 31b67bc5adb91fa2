"""Days, weeks, months and years as written in URLs.

Such as ``2026-07-14``, ``2026-W29``, ``2026-07`` and ``2026``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_WRITTEN = re.compile(r"(\d{4})(?:-W(\d{2})|-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


class Unit(StrEnum):
    """How long a span is."""

    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Span:
    """A year, month, week (Monday to Sunday) or day, ends included."""

    unit: Unit
    first: date
    last: date

    @property
    def written(self) -> str:
        """Write it as an address has it."""
        if self.unit is Unit.WEEK:
            year, week, _ = self.first.isocalendar()
            return f"{year:04}-W{week:02}"
        return self.first.isoformat()[: {Unit.YEAR: 4, Unit.MONTH: 7, Unit.DAY: 10}[self.unit]]

    @property
    def name(self) -> str:
        """Name it among others of its kind."""
        names = {
            Unit.YEAR: f"{self.first.year:04}",
            Unit.MONTH: f"{self.first:%B}",
            Unit.WEEK: f"Week {self.first.isocalendar().week}",
            Unit.DAY: str(self.first.day),
        }
        return names[self.unit]

    @property
    def full_name(self) -> str:
        """Name it by itself."""
        if self.unit is Unit.DAY:
            return f"{self.first:%a} {self.first.isoformat()}"
        return self.name if self.unit is Unit.YEAR else f"{self.name} {self.last.year:04}"

    def above(self) -> Iterator["Span"]:
        """Yield what it is a part of, the longest first."""
        if self.unit is not Unit.YEAR:
            yield year(self.first.year)
        if self.unit is Unit.DAY:
            yield month(self.first.year, self.first.month)
            if self.first > date.min + timedelta(days=6) and self.first < date.max - timedelta(days=6):
                yield week(self.first)

    def inside(self) -> Iterator["Span"]:
        """Yield the months of a year, else the days."""
        if self.unit is Unit.YEAR:
            yield from (month(self.first.year, number) for number in range(1, 13))
        elif self.unit is not Unit.DAY:
            yield from (day(self.first + timedelta(days=number)) for number in range((self.last - self.first).days + 1))

    def before(self) -> "Span | None":
        """Return the span before this one; None before the first valid one."""
        return None if self.first == date.min else _around(self.unit, self.first - timedelta(days=1))

    def after(self) -> "Span | None":
        """Return the span after this one; None after the last valid one."""
        return None if self.last == date.max else _around(self.unit, self.last + timedelta(days=1))

    def bounds(self, zone: str) -> tuple[datetime | None, datetime | None]:
        """Return start and end in a time zone; None if not representable."""
        end = None if self.last == date.max else midnight(self.last + timedelta(days=1), zone)
        return midnight(self.first, zone), end


def read(text: str) -> Span:
    """Read a span as it is written in an address.

    Raises:
        ValueError: It is none.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError("This is no year, month, week or day.")
    in_year, in_week, in_month, in_day = (None if part is None else int(part) for part in found.groups())
    first = date(in_year or 0, 1, 1)
    if in_week is not None:
        return week(date.fromisocalendar(first.year, in_week, 1))
    if in_month is None:
        return year(first.year)
    return month(first.year, in_month) if in_day is None else day(date(first.year, in_month, in_day))


def day(at: date) -> Span:
    """Return a day."""
    return Span(Unit.DAY, at, at)


def week(at: date) -> Span:
    """Return the week of a day.

    Raises:
        ValueError: It begins or ends where no day can be written any more.
    """
    try:
        first = at - timedelta(days=at.weekday())
        return Span(Unit.WEEK, first, first + timedelta(days=6))
    except OverflowError as error:
        raise ValueError("No such week can be written.") from error


def month(of_year: int, number: int) -> Span:
    """Return a month.

    Raises:
        ValueError: There is none of that number.
    """
    first = date(of_year, number, 1)
    next_one = date(of_year + number // 12, number % 12 + 1, 1) if (of_year, number) != (9999, 12) else None
    return Span(Unit.MONTH, first, date.max if next_one is None else next_one - timedelta(days=1))


def year(number: int) -> Span:
    """Return a year."""
    return Span(Unit.YEAR, date(number, 1, 1), date(number, 12, 31))


def midnight(at: date, zone: str) -> datetime | None:
    """Return the start of a local day; None if not representable."""
    try:
        return datetime.combine(at, time(), ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        return None


def _around(unit: Unit, at: date) -> Span | None:
    try:
        found = {Unit.DAY: day, Unit.WEEK: week}.get(unit)
        if found is not None:
            return found(at)
    except ValueError:
        return None
    return month(at.year, at.month) if unit is Unit.MONTH else year(at.year)
