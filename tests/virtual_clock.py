"""A clock that tests set forward: the database's, which decides here, and the sandbox's, which is the provider's.

The functions that tell the time are put before PostgreSQL's own in the search path, so that every statement and
trigger sees it, and the product knows nothing of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, connections

from tests.sandbox_client import Sandbox

_SETUP = """
CREATE SCHEMA virtual;
CREATE TABLE virtual.clock (shift interval NOT NULL);
INSERT INTO virtual.clock VALUES ('0');
"""
_TELLS_TIME = ("now", "statement_timestamp", "transaction_timestamp", "clock_timestamp")
_FUNCTION = """
CREATE FUNCTION virtual.{name}() RETURNS timestamptz LANGUAGE sql STABLE
AS 'SELECT pg_catalog.{name}() + shift FROM virtual.clock';
"""


class Clock:
    """Time as the database and the sandbox see it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        _execute("UPDATE virtual.clock SET shift = shift + %s", [by])
        self._sandbox.advance(by.total_seconds())

    def next_minute(self) -> None:
        """Let time pass until the next minute begins."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT date_trunc('minute', now()) + interval '1 minute' - now()")
            (left,) = cursor.fetchone()
        self.advance(left)


@contextmanager
def running(sandbox: Sandbox) -> Iterator[Clock]:
    """Have such a clock for as long as the context lasts."""
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    _execute(_SETUP + "".join(_FUNCTION.format(name=name) for name in _TELLS_TIME))
    _execute(f"ALTER DATABASE {database} SET search_path = virtual, public, pg_catalog")
    connections.close_all()  # the setting is of new connections
    try:
        yield Clock(sandbox)
    finally:
        _execute(f"ALTER DATABASE {database} RESET search_path")
        _execute("DROP SCHEMA virtual CASCADE")
        connections.close_all()


def _execute(sql: str, values: list[object] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)  # type: ignore[arg-type]  # an interval, which psycopg knows
