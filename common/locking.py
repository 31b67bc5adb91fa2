"""Rows with the time of the database, never that of a process.

A query reads the time with :func:`clocked`, and :meth:`AsOf.of` takes it off the row. So no row is passed on with a
field that its class does not have.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Self, TypeVar

from django.db.models import Model, QuerySet
from django.db.models.functions import Now

Row = TypeVar("Row", bound=Model)

_CLOCK = "db_now"


def clocked(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Read the database's clock with each row."""
    found: QuerySet[Row] = rows.annotate(**{_CLOCK: Now()})
    return found


@dataclass(frozen=True, slots=True)
class AsOf(Generic[Row]):
    """A row as it was at a time, by the database's clock."""

    row: Row
    at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        """Take the time off a row of a :func:`clocked` query, once."""
        return cls(row=row, at=vars(row).pop(_CLOCK))


@dataclass(frozen=True, slots=True)
class Locked(AsOf[Row]):
    """A row that this transaction has locked, and the database's time.

    Made by the lock functions alone.
    """
