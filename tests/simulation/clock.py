"""Time that stands still until it is set forward: the database's and the provider's, to the same moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import connection, connections

BEGINNING = datetime(2027, 3, 1, 9, tzinfo=UTC)

_FUNCTIONS = ("now", "statement_timestamp", "transaction_timestamp", "clock_timestamp")


class Clock:
    """The one clock of a world; the sandbox takes it for its own."""

    def __init__(self) -> None:
        self.at = BEGINNING
        self.provider_ahead = timedelta()
        """How far the provider's clock is ahead of the database's."""

    def now(self) -> float:
        """Tell the sandbox the time."""
        return (self.at + self.provider_ahead).timestamp()

    def sleep(self, seconds: float) -> None:
        """The sandbox waits for nobody here."""

    def set(self, at: datetime) -> None:
        """Let it be later."""
        self.at = max(at, self.at)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE virtual.clock SET at = %s", [self.at])


@contextmanager
def installed() -> Iterator[None]:
    """Put the functions that tell the time before PostgreSQL's own, for as long as the context lasts."""
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA virtual; CREATE TABLE virtual.clock (at timestamptz NOT NULL);")
        cursor.execute("INSERT INTO virtual.clock VALUES (%s)", [BEGINNING])
        for name in _FUNCTIONS:
            body = "SELECT at FROM virtual.clock"
            cursor.execute(f"CREATE FUNCTION virtual.{name}() RETURNS timestamptz LANGUAGE sql STABLE AS '{body}'")
        cursor.execute(f"ALTER DATABASE {database} SET search_path = virtual, public, pg_catalog")
    connections.close_all()
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {database} RESET search_path")
            cursor.execute("DROP SCHEMA virtual CASCADE")
        connections.close_all()
