"""Choosing a year, a month or a day in a list, without asking which of them have rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db.models import QuerySet, UUIDField
from django.http import HttpRequest

from common import ids
from tenants import scoping

PARAMETER = "on"

Choice = dict[str, Any]


class Period(admin.ListFilter):
    """``?on=2026``, ``2026-07`` or ``2026-07-14``, in the time zone of the person's operator.

    Django's date hierarchy reads the whole table to find the years, months and days that have rows; this one reads the
    first and the last row. Of a table whose ids are UUIDv7, the time is in the id, which is indexed as it is.
    """

    title = "time"
    template = "backoffice/period.html"  # empty: it stands above the list, not among the filters
    field: ClassVar[str]

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        given = params.pop(PARAMETER, "")
        self.value = str(given[-1] if isinstance(given, list) else given)
        self.zone = scoping.zone_of(request.user)
        self._by_id = isinstance(model._meta.get_field(self.field), UUIDField)
        self._rows = model_admin.get_queryset(request)
        if self.value:
            self._bounds()

    def has_output(self) -> bool:
        """Offer it always."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Name the parameter of the query that is ours."""
        return [PARAMETER]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the period."""
        if not self.value:
            return queryset
        first, after = (self._written(bound) for bound in self._bounds())
        return queryset.filter(**{f"{self.field}__gte": first, f"{self.field}__lt": after})

    def choices(self, changelist: Any) -> Iterator[Any]:
        """List the way back, and what is inside of the chosen period."""
        yield self._choice(changelist, "", "All times")
        parts = self.value.split("-") if self.value else []
        for depth in range(1, min(len(parts), 2) + 1):
            yield self._choice(changelist, "-".join(parts[:depth]))
        for inside in self._inside(parts):
            yield self._choice(changelist, inside)

    def _inside(self, parts: list[str]) -> list[str]:
        if not parts:
            return [str(year) for year in self._years]
        year = int(parts[0])
        if len(parts) == 1:
            return [f"{year:04}-{month:02}" for month in range(1, 13)]
        month = int(parts[1])
        days = (_next_month(year, month) - date(year, month, 1)).days
        return [f"{year:04}-{month:02}-{day:02}" for day in range(1, days + 1)]

    @cached_property
    def _years(self) -> range:
        values = self._rows.values_list(self.field, flat=True)
        first, last = values.order_by(self.field).first(), values.order_by(f"-{self.field}").first()
        if first is None or last is None:
            return range(0)
        return range(self._read(first).year, self._read(last).year + 1)

    def _choice(self, changelist: Any, value: str, display: str = "") -> Choice:
        if value:
            query = changelist.get_query_string({PARAMETER: value})
        else:
            query = changelist.get_query_string(remove=[PARAMETER])
        return {"selected": value == self.value, "query_string": query, "display": display or _named(value)}

    def _bounds(self) -> tuple[datetime, datetime]:
        try:
            year, month, day = (*(int(part) for part in self.value.split("-")), 0, 0, 0)[:3]
            if self.value.count("-") > 2:
                raise ValueError(self.value)
            first = date(year, month or 1, day or 1)
            after = first + timedelta(days=1) if day else _next_month(year, month or 12)
        except (ValueError, OverflowError) as error:
            raise BadRequest(f"{PARAMETER} must be a year, a month or a day, such as 2026-07-14.") from error
        start, end = (datetime.combine(at, time(), ZoneInfo(self.zone)).astimezone(UTC) for at in (first, after))
        return start, end

    def _written(self, at: datetime) -> Any:
        return ids.first_at(at) if self._by_id else at

    def _read(self, value: Any) -> datetime:
        return (ids.made_at(value) if self._by_id else value).astimezone(ZoneInfo(self.zone))


def choices(changes: Any) -> list[Choice]:
    """List the choices of a list's period, with the chosen one; none if it has no such filter."""
    found = next((spec for spec in changes.filter_specs if isinstance(spec, Period)), None)
    return list(found.choices(changes)) if found else []


def of(field: str) -> type[Period]:
    """Return the filter of a field: a time, or an id that has the time in it."""
    return type("Period", (Period,), {"field": field})


def _next_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)


def _named(value: str) -> str:
    year, *rest = (int(part) for part in value.split("-"))
    return [f"{year:04}", *(f"{date(year, month, 1):%B}" for month in rest[:1]), *(str(day) for day in rest[1:])][-1]
