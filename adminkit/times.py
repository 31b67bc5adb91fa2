"""Times in lists and on pages, by their row's zone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField

from tenants import clocks, roles
from tenants.models import Operator

_ZONE = "_zone_shown"


class Page(Protocol):
    """How a page finds the operator and time zone of rows."""

    opts: Any
    operator_path: ClassVar[str]
    zone_path: ClassVar[str]


class Moment:
    """A column or line of a page that shows a row's time."""

    def __init__(self, page: Page, field: Any) -> None:
        self.page, self.field = page, field
        self.__name__ = self.admin_order_field = field.name
        self.short_description = field.verbose_name

    def __call__(self, row: Any) -> str:
        """Write the time by the clock of the row."""
        return clocks.when(getattr(row, self.field.name), zone_of(self.page, row))


def shown(page: Page, name: Any) -> Any:
    """Return how a page shows a field: a time as a :class:`Moment`."""
    kept: dict[str, Moment] = page.__dict__.setdefault("_moments", {})
    if not isinstance(name, str) or name in kept:
        return kept.get(name, name) if isinstance(name, str) else name
    try:
        field = page.opts.get_field(name)
    except FieldDoesNotExist:
        return name
    return kept.setdefault(name, Moment(page, field)) if isinstance(field, DateTimeField) else name


def of_page(page: Page) -> list[Moment]:
    """List the times of a page's rows."""
    fields = (field for field in page.opts.concrete_fields if isinstance(field, DateTimeField))
    return [shown(page, field.name) for field in fields]


def in_fieldsets(page: Page, fieldsets: Iterable[Any], names: Sequence[Any]) -> list[Any]:
    """Replace the time fields among ``names``, each once."""
    moments = {name for name in names if isinstance(name, Moment)}
    seen: set[Any] = set()

    def put(names: Iterable[Any]) -> list[Any]:
        found: list[Any] = []
        for name in names:
            if isinstance(name, list | tuple):
                found.append(tuple(put(name)))
                continue
            moment = shown(page, name)
            one = moment if moment in moments else name
            if one not in seen:
                seen.add(one)
                found.append(one)
        return found

    return [(title, {**options, "fields": put(options["fields"])}) for title, options in fieldsets]


def zone_of(page: Page, row: Any) -> str:
    """Return the time zone of a row: its activity's or operator's.

    Empty: the page's.
    """
    known: str | None = row.__dict__.get(_ZONE)
    if known is not None:
        return known
    path = page.zone_path or (f"{page.operator_path}__timezone" if page.operator_path else "")
    for name in filter(None, path.split("__")):
        row = getattr(row, name, None)
    return row if isinstance(row, str) else ""


def note_zones(page: Page, rows: Iterable[Any], zones: Mapping[UUID, str]) -> None:
    """Remember the time zone of each listed row, without reading each operator."""
    if page.zone_path or not page.operator_path:
        return
    *parts, last = page.operator_path.split("__")
    for row in rows:
        owner = row
        for name in parts:
            owner = getattr(owner, name, None)
        row.__dict__[_ZONE] = zones.get(getattr(owner, f"{last}_id", None), "")  # type: ignore[arg-type]


def zones(person: Any) -> Mapping[UUID, str]:
    """Return the clocks of the operators that a person may see."""
    if person.is_superuser:
        return dict(Operator.objects.values_list("pk", "timezone"))
    return roles.zones_of(person)
