"""Time as the sandbox sees it, so that a simulation can run days in a moment."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time in seconds since the epoch, and waits."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class ShiftedClock:
    """The machine's own clock, set forward by the control: what takes a day is tried in a moment."""

    def __init__(self) -> None:
        self._shift = 0.0

    def now(self) -> float:
        return time.time() + self._shift

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Set it forward."""
        self._shift += seconds

    def reset(self) -> None:
        """Show the machine's time again."""
        self._shift = 0.0


class VirtualClock:
    """A clock that moves only when told to; sleeping moves it at once."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds
