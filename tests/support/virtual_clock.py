"""Clocks that tests set: the database's, which decides here, and the sandbox's, which is the provider's.

The functions that tell the time are put before PostgreSQL's own in the search path, so that every statement and
trigger sees it, and the product knows nothing of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, connections

from tests.support import pooling
from tests.support.sandbox_client import Sandbox

_TELLS_TIME = ("now", "statement_timestamp", "transaction_timestamp", "clock_timestamp")
_FUNCTION = """
CREATE FUNCTION virtual.{name}() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT {time} FROM virtual.clock';
"""


class Clock:
    """Time as the database and the sandbox see it: goes on by itself, and is set forward."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        execute("UPDATE virtual.clock SET shift = shift + %s", [by])
        self._sandbox.advance(by.total_seconds())

    def next_minute(self) -> None:
        """Let time pass until the next minute begins."""
        self._advance_until("date_trunc('minute', now()) + interval '1 minute'")

    def next_noon(self) -> None:
        """Let time pass until the next noon in UTC."""
        self._advance_until("date_bin('1 day', now(), '2000-01-01 12:00Z') + interval '1 day'")

    def _advance_until(self, time: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {time} - now()")
            (left,) = cursor.fetchone()
        self.advance(left)


@contextmanager
def running(sandbox: Sandbox) -> Iterator[Clock]:
    """Have such a clock for as long as the context lasts; it is noon, whatever the time of day is outside."""
    with installed(column="shift interval NOT NULL DEFAULT '0'", time="pg_catalog.{name}() + shift"):
        clock = Clock(sandbox)
        clock.next_noon()
        yield clock


@contextmanager
def installed(*, column: str, time: str) -> Iterator[None]:
    """Have the database tell the time by the one row of ``virtual.clock``: its column, and what makes a time of it."""
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    functions = "".join(_FUNCTION.format(name=name, time=time.format(name=name)) for name in _TELLS_TIME)
    execute(f"CREATE SCHEMA virtual; CREATE TABLE virtual.clock ({column}); INSERT INTO virtual.clock DEFAULT VALUES;")
    execute(f"{functions} ALTER DATABASE {database} SET search_path = virtual, public, pg_catalog")
    _connect_anew()  # the setting is of new connections
    try:
        yield
    finally:
        execute(f"ALTER DATABASE {database} RESET search_path; DROP SCHEMA virtual CASCADE")
        _connect_anew()


def _connect_anew() -> None:
    connections.close_all()
    pooling.connect_anew()


def execute(sql: str, values: list[object] | None = None) -> None:
    """Execute a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)  # type: ignore[arg-type]  # an interval, which psycopg knows
