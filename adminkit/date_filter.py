"""A list filter by year, month, week or day.

It does not ask which of them have rows.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db.models import QuerySet, UUIDField
from django.http import HttpRequest
from django.utils import timezone

from adminkit import date_spans
from adminkit.date_spans import Span, Unit
from common import ids
from tenants import scoping

PARAMETER = "on"
ALL = "all"
"""What chooses all times in a list that opens at today."""

_MOST_YEARS = 30
_EPOCH = datetime.fromtimestamp(0, UTC)

Choice = dict[str, Any]


class Period(admin.ListFilter):
    """The period of ``?on=2026``, ``2026-07``, ``2026-W29`` or ``2026-07-14``.

    Its days are those of the person's operator's time zone.

    Django's date hierarchy reads the whole table to find the years, months and days that have rows; this one reads the
    first and the last row. Of a table whose ids are UUIDv7, the time is in the id, which is indexed as it is. A list of
    what is to come opens at today: it shows what is from today on until something else is chosen.
    """

    title = "time"
    template = "backoffice/period.html"  # empty: it stands above the list, not among the filters
    field: ClassVar[str]
    opens_today: ClassVar[bool] = False

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        given = params.pop(PARAMETER, "")
        self.value = str(given[-1] if isinstance(given, list) else given)
        self.zone = scoping.zone_of(request.user)
        self.today = timezone.now().astimezone(ZoneInfo(self.zone)).date()
        self._by_id = isinstance(model._meta.get_field(self.field), UUIDField)
        self._rows = model_admin.get_queryset(request)
        self.span = self._read_span()
        # Rows that were chosen one by one are meant wherever they are in time; all of a list are those that it shows.
        is_list = request.method != "POST" or request.POST.get("select_across") == "1"
        self.is_from_today = self.opens_today and not self.value and is_list

    def has_output(self) -> bool:
        """Offer it always."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Name the parameter of the query that is ours."""
        return [PARAMETER]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of the period."""
        start, end = (None, None) if self.span is None else self.span.bounds(self.zone)
        if self.is_from_today:
            start = date_spans.midnight(self.today, self.zone)
        if start is not None:
            queryset = queryset.filter(**{f"{self.field}__gte": self._written(start)})
        if end is not None:
            queryset = queryset.filter(**{f"{self.field}__lt": self._written(end)})
        return queryset

    def choices(self, changelist: Any) -> Iterator[Any]:
        """List the way back, and what is inside of the chosen period."""
        if self.opens_today:
            yield self._choice(changelist, "", "From today on")
        yield self._choice(changelist, ALL if self.opens_today else "", "All times")
        if self.span is not None:
            for span in (*self.span.above(), *([] if self.span.unit is Unit.DAY else [self.span])):
                yield self._choice(changelist, span.written, span.name)
            if self.span.unit is Unit.DAY:
                beside = date_spans.month(self.span.first.year, self.span.first.month)
                yield from (self._choice(changelist, span.written, span.name) for span in beside.inside())
        inside = self._years if self.span is None else self.span.inside()
        yield from (self._choice(changelist, span.written, span.name) for span in inside)

    def steps(self, changelist: Any) -> dict[str, Any]:
        """Return the links to neighbouring periods and today, and the picker."""
        span = self.span or date_spans.day(self.today)
        steps = {"before": span.before(), "after": span.after(), "today": date_spans.day(self.today)}
        found: dict[str, Any] = {
            name: self._choice(changelist, step.written, step.full_name) for name, step in steps.items() if step
        }
        kept = changelist.get_filters_params()
        others = [(name, value) for name, values in kept.items() for value in values if name != PARAMETER]
        others += [("q", changelist.query)] if changelist.query else []
        return found | {"chosen": span.full_name if self.span else "", "day": span.first.isoformat(), "kept": others}

    @cached_property
    def _years(self) -> list[Span]:
        values = self._rows.values_list(self.field, flat=True)
        first, last = values.order_by(self.field).first(), values.order_by(f"-{self.field}").first()
        if first is None or last is None:
            return []
        begin, end = self._year_of(first), self._year_of(last)
        if end - begin >= _MOST_YEARS:  # a slip of the pen is no reason to list a thousand years
            begin, end = max(begin, self.today.year - _MOST_YEARS // 2), min(end, self.today.year + _MOST_YEARS // 2)
        return [date_spans.year(number) for number in range(begin, end + 1)]

    def _choice(self, changelist: Any, value: str, display: str) -> Choice:
        if value:
            query = changelist.get_query_string({PARAMETER: value}, ["p"])
        else:
            query = changelist.get_query_string(remove=[PARAMETER, "p"])
        return {"selected": value == self.value, "query_string": query, "display": display}

    def _read_span(self) -> Span | None:
        if not self.value or self.value == ALL:
            return None
        try:
            return date_spans.read(self.value)
        except ValueError as error:
            raise BadRequest(f"{PARAMETER} must be a year, a month, a week or a day, such as 2026-07-14.") from error

    def _written(self, at: datetime) -> Any:
        return ids.first_at(max(at, _EPOCH)) if self._by_id else at

    def _year_of(self, value: Any) -> int:
        at: datetime = ids.made_at(value) if self._by_id else value
        try:
            return at.astimezone(ZoneInfo(self.zone)).year
        except OverflowError:  # at the ends of what can be written
            return at.year


def shown(changes: Any) -> dict[str, Any]:
    """Return the period choices and steps of a list, if any."""
    found = next((spec for spec in changes.filter_specs if isinstance(spec, Period)), None)
    if found is None:
        return {"period_choices": [], "period": None}
    return {"period_choices": list(found.choices(changes)), "period": found.steps(changes)}


def of(field: str, *, opens_today: bool = False) -> type[Period]:
    """Return the filter of a time field, or of a time-ordered id."""
    return type("Period", (Period,), {"field": field, "opens_today": opens_today})
