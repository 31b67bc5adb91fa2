"""Time that stands still until it is set forward: the database's and the provider's, to the same moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.support import virtual_clock

BEGINNING = datetime(2027, 3, 1, 9, tzinfo=UTC)


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
        virtual_clock.execute("UPDATE virtual.clock SET at = %s", [self.at])


@contextmanager
def installed() -> Iterator[None]:
    """Have the database's clock stand still, for as long as the context lasts."""
    with virtual_clock.installed(column=f"at timestamptz NOT NULL DEFAULT '{BEGINNING}'", time="at"):
        yield
