"""Access to PostgreSQL: one transaction for each state change, few statements.

No connection is held across a network.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    connections,
    models,
    transaction,
)
from psycopg import errors as pg

from common.errors import BusyError, diagnosis

CONTENTION = (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure)
ERRORS = (DatabaseError, InterfaceError, psycopg.Error)
"""What a database call raises; InterfaceError is no DatabaseError."""

_AWAY = ("08", "53", "57", "58")
"""Classes of SQLSTATE: connection lost, no room, ended by an operator or a time-out, a fault of the system."""
_AWAY_TOO = frozenset(("25006", "25P03", "25P04"))
"""Read-only (a failover's old primary), and transactions that idled or took too long."""
_NOT_PREPARED = frozenset(("26000", "42P05"))
"""A prepared statement that is not there, or is there already: a pooler gave us another connection to the server."""
_BROKEN = "Cannot open a new connection in an atomic block."
"""Django's words for a connection that was lost inside a transaction."""


@contextmanager
def use_case() -> Iterator[None]:
    """Open the one transaction of a use case.

    Raises:
        BusyError: A lock could not be had within ``lock_timeout``; everything was rolled back.
        RuntimeError: A transaction is open already (``durable``): use cases do not nest.
    """
    try:
        with transaction.atomic(durable=True):
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, CONTENTION):
            raise BusyError from error
        raise


def is_away(error: BaseException) -> bool:
    """Tell whether an error means that the database cannot be used now.

    Nothing was changed, and a repeat is safe.

    A lost or refused connection, an exhausted pool, a failover, a pooler that has no server, a time-out.
    """
    if not isinstance(error, ERRORS):
        return False
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, psycopg.Error):
            return _is_away(seen)
        if str(seen) == _BROKEN:
            return True
        seen = seen.__cause__
    return isinstance(error, InterfaceError)


def _is_away(error: psycopg.Error) -> bool:
    if error.sqlstate is None:  # of the client: a connection that failed, a pool that has none
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    code = error.sqlstate
    return code.startswith(_AWAY) or code in _AWAY_TOO or code in _NOT_PREPARED


def require_transaction() -> None:
    """Refuse to go on outside a transaction: the caller owns the commit."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("This must be called inside a transaction.")


def name_actor(actor: str, reason: str) -> None:
    """Tell the triggers that write histories who acts, and why.

    It holds to the end of this transaction and no longer, so that a pooler gives it to nobody else.

    Raises:
        TransactionManagementError: No transaction is open, so that it would hold for nothing.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('holdfast.actor', %s, true), set_config('holdfast.reason', %s, true)", [actor, reason]
        )


def violated(error: IntegrityError) -> str:
    """Return the name of the constraint that refused, or an empty text."""
    refused = diagnosis(error)
    return (refused and refused.constraint_name) or ""


def check_constraints() -> None:
    """Check deferred constraints now, while a savepoint can still roll back.

    Raises:
        IntegrityError: What was written breaks a deferred constraint.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def leave_database() -> None:
    """Return the connection to the pool before a network call.

    So a slow provider holds no database connection.

    Raises:
        TransactionManagementError: A transaction is open. Nothing may be locked while a network is waited for.
    """
    if connection.in_atomic_block:
        raise transaction.TransactionManagementError("A network call inside a transaction would hold its locks.")
    if connection.settings_dict["OPTIONS"].get("pool"):
        connection.close()


def use_no_pool() -> None:
    """Connect this process and its children without a pool.

    A pool's threads and locks do not survive a fork.
    """
    connections.close_all()
    known: Any = connections["default"]
    if known.settings_dict["OPTIONS"].pop("pool", None):
        known.settings_dict["CONN_HEALTH_CHECKS"] = True
        for pool in list(known._connection_pools.values()):
            pool.close()
        known._connection_pools.clear()


def insert_together(*rows: models.Model) -> None:
    """Insert rows of any tables in one statement, with ids already set.

    By data-modifying CTEs.

    Foreign keys between them hold because Django declares them deferred. Signals are not sent; there are none.
    """
    _execute_together([_insert(group) for group in _by_table(rows)])
    for row in rows:
        row._state.adding = False
        row._state.db = connection.alias


@dataclass(frozen=True, slots=True, kw_only=True)
class Fenced:
    """A row's change, made only if its ``fence`` columns are unchanged.

    ``returning`` is a constant SQL expression over the row.
    """

    row: models.Model
    fields: Sequence[str]
    fence: Sequence[str]
    returning: str


def update_together(
    *changes: tuple[models.Model, Sequence[str]], fenced: Fenced | None = None
) -> tuple[Any, ...] | None:
    """Update named fields of rows in one statement.

    Every row must be locked by the caller's transaction.

    PostgreSQL refuses to show one row to two parts of a statement, so each row may be given only once. The row of
    ``fenced`` need not be locked; returns what it is to return, or None if its fence has moved on.
    """
    require_transaction()
    statements = [_update(row, fields) for row, fields in changes if fields]
    return _execute_together(statements + ([_update_fenced(fenced)] if fenced else []), returns=fenced is not None)


Statement = tuple[str, list[Any]]
Field: TypeAlias = "models.Field[Any, Any]"


def _execute_together(statements: list[Statement], *, returns: bool = False) -> tuple[Any, ...] | None:
    if not statements:
        return None
    *first, (query, _) = statements
    if first:
        parts = ", ".join(f"part_{number} AS ({statement})" for number, (statement, _) in enumerate(first))
        query = f"WITH {parts} {query}"
    with connection.cursor() as cursor:
        cursor.execute(query, [value for _, values in statements for value in values])
        row: tuple[Any, ...] | None = cursor.fetchone() if returns else None
    return row


def _by_table(rows: Sequence[models.Model]) -> list[list[models.Model]]:
    groups: dict[type[models.Model], list[models.Model]] = {}
    for row in rows:
        groups.setdefault(type(row), []).append(row)
    return list(groups.values())


def _insert(rows: list[models.Model]) -> Statement:
    """Write rows as one value, which costs less than a value for each field, in a text that does not grow with them."""
    sql, names = _insert_text(type(rows[0]))
    values = [{column: getattr(row, attribute) for column, attribute in names} for row in rows]
    return sql, [json.dumps(values, default=_as_text)]


def _as_text(value: object) -> str:
    if isinstance(value, UUID | date):
        return str(value)
    raise TypeError(f"{value!r} cannot be inserted together with others.")


@cache
def _insert_text(model: type[models.Model]) -> tuple[str, Sequence[tuple[str, str]]]:
    fields = [field for field in model._meta.local_concrete_fields if not isinstance(field, models.AutoField)]
    table, columns = _quoted(model._meta.db_table), ", ".join(_quoted(field.column) for field in fields)
    rows = f"SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s)"  # noqa: S608  # names of our own
    return f"INSERT INTO {table} ({columns}) {rows}", [(str(field.column), field.attname) for field in fields]


def _update(row: models.Model, names: Sequence[str]) -> Statement:
    sql, fields = _update_text(type(row), tuple(names))
    return sql, [*prepared(fields, row, add=False), row.pk]


def _update_fenced(fenced: Fenced) -> Statement:
    sql, values = _update(fenced.row, fenced.fields)
    still = " AND ".join(f"{_quoted(column)} = %s" for column in fenced.fence)
    sql = f"{sql} AND {still} RETURNING {fenced.returning}"
    return sql, [*values, *(getattr(fenced.row, column) for column in fenced.fence)]


@cache
def _update_text(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, Sequence[Field]]:
    meta = model._meta
    fields = [field for field in map(meta.get_field, dict.fromkeys(names)) if isinstance(field, models.Field)]
    columns = ", ".join(f"{_quoted(field.column)} = %s" for field in fields)
    where = f"{_quoted(meta.pk.column)} = %s"
    return f"UPDATE {_quoted(meta.db_table)} SET {columns} WHERE {where}", fields  # noqa: S608  # our own names


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")


def prepared(fields: Sequence[Field], row: models.Model, *, add: bool) -> list[Any]:
    """Return the values of a row's fields as the driver takes them."""
    own = connections[connection.alias]  # the connection itself: each look at it by its proxy costs more than a value
    return [field.get_db_prep_save(field.pre_save(row, add=add), connection=own) for field in fields]


def now() -> datetime:
    """Return the time by the database's clock, which decides."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        (at,) = cursor.fetchone()
    found: datetime = at
    return found
