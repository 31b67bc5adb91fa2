"""Queries that are compiled to SQL once.

Django writes the SQL of a queryset anew each time, which costs more than the query.

What changes from one time to the next are its values. The SQL is the queryset's own, so that there is one definition.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from django.db import connection, models
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)

_KINDS: tuple[tuple[type[models.Field[Any, Any]], type], ...] = (
    (models.UUIDField, UUID),
    (models.DateTimeField, datetime),
    (models.CharField, str),
    (models.TextField, str),
)
"""What a field's values are; others cannot be asked for here."""

_MARKERS: dict[type, Callable[[int], Any]] = {
    str: lambda number: "ab"[number] * (8 + number) + uuid4().hex,
    UUID: lambda number: uuid4(),
    datetime: lambda number: datetime.fromtimestamp(uuid4().int % 10**9, UTC),
}
"""Values that stand for a parameter. The first and the second have as little in common as possible."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """The SQL of a query, where each of its values goes, and how a row becomes an object."""

    sql: str
    values: Sequence[Any]
    names: Sequence[str]
    """Of each value: the parameter that it is, or empty for one that is always the same."""
    convert: Callable[[Sequence[Sequence[Any]]], Iterable[Sequence[Any]]]
    """Turns what the driver returns into what the fields hold."""
    make: Callable[[Sequence[Any]], Any]


class Compiled(Generic[M]):
    """A queryset with typed parameters; None is not a valid value."""

    def __init__(self, make: Callable[..., QuerySet[M]], **parameters: type) -> None:
        self._make = make
        self._parameters = parameters
        self._ready: _Ready | None = None

    def first(self, **values: Any) -> M | None:
        """Return the first row, or None; the queryset sets the limit."""
        return next(iter(self.rows(**values)), None)

    def rows(self, **values: Any) -> list[M]:
        """Return the rows for these values.

        Raises:
            KeyError: A parameter has no value.
            LookupError: The SQL lacks a parameter, or holds something made of one or of the clock.
            TypeError: A value is of another type than its parameter.
        """
        ready = self._ready or self._compile()
        for name, kind in self._parameters.items():
            if not isinstance(values[name], kind):
                raise TypeError(f"{name} is a {kind.__name__}, not a {type(values[name]).__name__}.")
        given = [values[name] if name else value for name, value in zip(ready.names, ready.values, strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(ready.sql, given)
            found = cursor.fetchall()
        return [ready.make(row) for row in ready.convert(found)]

    def _compile(self) -> _Ready:
        compiler, sql, values, names = self._written(0)
        _, other_sql, other_values, other_names = self._written(1)
        fixed, other_fixed = _fixed(values, names), _fixed(other_values, other_names)
        if (sql, names, fixed) != (other_sql, other_names, other_fixed):
            raise LookupError("The SQL differs from one time to the next by more than its parameters.")
        self._ready = _Ready(sql, values, names, _converter(compiler), _maker(compiler))
        return self._ready

    def _written(self, number: int) -> tuple[Any, str, Sequence[Any], Sequence[str]]:
        """Write the SQL for markers; returns its values too, and of each which parameter it is."""
        markers = {name: _MARKERS[kind](number) for name, kind in self._parameters.items()}
        compiler = self._make(**markers).query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        names = [next((name for name, marker in markers.items() if marker == value), "") for value in values]
        if lost := markers.keys() - set(names):
            raise LookupError(
                f"{', '.join(sorted(lost))} cannot be found in the SQL, so no other value could be put in."
            )
        return compiler, sql, values, names


class CompiledBy(Generic[M]):
    """A queryset with named filters, compiled once for each set."""

    def __init__(self, make: Callable[[], QuerySet[M]]) -> None:
        self._make = make
        self._known: dict[frozenset[str], Compiled[M]] = {}

    def first(self, **where: Any) -> M | None:
        """Return the first row that has these values, if there is one.

        Raises:
            TypeError: A value is of another type than its field. The query is none the worse for it.
        """
        names = frozenset(where)
        known = self._known.get(names)
        if known is None:
            kinds = {name: _kind(self._make().model, name) for name in where}
            known = self._known[names] = Compiled(lambda **given: self._make().filter(**given)[:1], **kinds)
        return known.first(**where)


def _fixed(values: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """Return the values that are the same each time."""
    return [value for value, name in zip(values, names, strict=True) if not name]


def _kind(model: type[Model], path: str) -> type:
    """Return the type of the values of a field, named as in a filter."""
    field: Any = None
    for name in path.split("__"):
        model = model if field is None else field.related_model
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    while field.is_relation:
        field = field.target_field
    for kind_of_field, kind in _KINDS:
        if isinstance(field, kind_of_field):
            return kind
    raise TypeError(f"{path} is of a type that is not known here.")


def _converter(compiler: Any) -> Callable[[Sequence[Sequence[Any]]], Iterable[Sequence[Any]]]:
    converters = compiler.get_converters([expression for expression, *_ in compiler.select])
    return partial(compiler.apply_converters, converters=converters) if converters else lambda rows: rows


def _maker(compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """Return what makes an object of a row, as :class:`django.db.models.query.ModelIterable` does."""
    info, select = compiler.klass_info, compiler.select
    model, fields = info["model"], info["select_fields"]
    start, end = fields[0], fields[-1] + 1
    names = [column[0].target.attname for column in select[start:end]]
    related = get_related_populators(info, select, connection.alias)  # type: ignore[call-arg]  # the stub is of Django 6
    annotations = list((compiler.annotation_col_map or {}).items())

    def make(row: Sequence[Any]) -> Any:
        found = model.from_db(connection.alias, names, row[start:end])
        for populator in related:
            populator.populate(row, found)
        for name, position in annotations:
            setattr(found, name, row[position])
        return found

    return make
