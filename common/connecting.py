"""Checks of the database connection, with or without a pooler.

Asked at the start and by readiness.

A pooler such as PgBouncer in transaction mode may drop the start-up options, with our time-outs, and give each
transaction another connection to the server, where a prepared statement is not known.
"""

from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import errors, sql

CONNECT_SECONDS = 2
_OPTIONS_REFUSED = "unsupported startup parameter"
_TRIES = 5
"""How often two connections are compared before they are taken for two connections to the server."""

_OUR_NAMES = r"SELECT name FROM pg_prepared_statements WHERE name LIKE '\_pg3\_%'"
_TIME_OUTS = "SELECT name, setting::bigint FROM pg_settings WHERE name = ANY(%s)"


def connect() -> psycopg.Connection[Any]:
    """Connect beside Django's own connections, in autocommit mode; the caller closes it.

    Raises:
        psycopg.OperationalError: It is not to be had.
    """
    wrapper: Any = connections["default"]
    params = wrapper.get_connection_params() | {"connect_timeout": CONNECT_SECONDS, "prepare_threshold": None}
    params.pop("cursor_factory")
    made: psycopg.Connection[Any] = psycopg.connect(**params, autocommit=True)
    return made


def problems() -> list[str]:
    """Return what is wrong with the connection, a sentence each.

    Empty, too, if the database cannot be reached now.
    """
    try:
        with connect() as connection:
            return list_unenforced(connection) or _list_unprepared(connection)
    except psycopg.OperationalError as error:
        return [_options_refused()] if _OPTIONS_REFUSED in str(error) else []


def list_unenforced(connection: psycopg.Connection[Any]) -> list[str]:
    """Say which time-outs are not in force, and how to have them."""
    wanted = _wanted()
    found = dict(connection.execute(_TIME_OUTS, [list(wanted)]).fetchall())
    missing = [name for name, milliseconds in wanted.items() if milliseconds and not found[name]]
    if not missing:
        return []
    return [
        f"{', '.join(missing)} of the database's role {'is' if len(missing) == 1 else 'are'} 0 (for ever): what stands "
        f"between has dropped the start-up options. Run: {_alter_role()} Then have the pooler connect anew (RECONNECT)."
    ]


def _options_refused() -> str:
    return (
        "What stands between us and the database refuses start-up options. Set DATABASE_STARTUP_OPTIONS=false, and "
        f"give the role its time-outs: {_alter_role()}"
    )


def _wanted() -> dict[str, int]:
    """Return our time-outs in milliseconds by PostgreSQL's names."""
    return {
        "lock_timeout": settings.DATABASE_LOCK_TIMEOUT_MS,
        "statement_timeout": settings.DATABASE_STATEMENT_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": settings.DATABASE_IDLE_TIMEOUT_MS,
    }


def _alter_role() -> str:
    role = str(settings.DATABASES["default"]["USER"]).replace('"', '""')
    return " ".join(f'ALTER ROLE "{role}" SET {name} = {value};' for name, value in _wanted().items() if value)


def _list_unprepared(connection: psycopg.Connection[Any]) -> list[str]:
    """Say whether statements are prepared that a pooler would lose."""
    if not settings.DATABASE_PREPARE or not _has_pooler(connection):
        return []
    if _keeps_names(connection) or not _is_shared(connection):
        return []
    return [
        "What stands between us and the database gives each transaction another connection to it, and loses prepared "
        "statements. Set DATABASE_PREPARE=false (or use PgBouncer 1.21 or later with max_prepared_statements)."
    ]


def _keeps_names(connection: psycopg.Connection[Any]) -> bool:
    """Say whether the pooler looks after prepared statements: then it gives them names of its own."""
    connection.prepare_threshold = 5  # it is none at all otherwise, and nothing can be prepared
    try:
        with connection.transaction():
            connection.execute("SELECT %s::int", [1], prepare=True)
            names = connection.execute(
                "SELECT name FROM pg_prepared_statements WHERE name LIKE '\\_pg3\\_%'"
            ).fetchall()
            for (name,) in names:  # not left to who gets this connection to the server next
                connection.execute(sql.SQL("DEALLOCATE {}").format(sql.Identifier(name)), prepare=False)
    except (errors.DuplicatePreparedStatement, errors.InvalidSqlStatementName):
        return False
    finally:
        connection.prepare_threshold = None
    return not names


def _has_pooler(connection: psycopg.Connection[Any]) -> bool:
    """Say whether somebody stands in between: then the number of the server's process is not the one we were told."""
    return _server_of(connection) != connection.info.backend_pid


def _is_shared(connection: psycopg.Connection[Any]) -> bool:
    """Say whether two of our connections come to one of the server's, as they do if each transaction gets another."""
    with connect() as other:
        for _ in range(_TRIES):
            first = _server_of(connection)
            if first == _server_of(other) or first != _server_of(connection):
                return True
    return False


def _server_of(connection: psycopg.Connection[Any]) -> int:
    found = connection.execute("SELECT pg_backend_pid()").fetchone()
    return int(found[0]) if found else 0
