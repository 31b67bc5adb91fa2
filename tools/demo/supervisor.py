"""Starts the processes of the stack, keeps them running, and stops them in order."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from tools.demo.output import complain, say
from tools.demo.processes import Child

FIRST_BACK_OFF_SECONDS = 1.0
LONGEST_BACK_OFF_SECONDS = 30.0
STEADY_SECONDS = 60.0
LOOK_SECONDS = 0.25

Condition = Callable[[], bool]


class StartError(Exception):
    """A process did not come up; the message says what it said."""


class StopRequested(BaseException):
    """Somebody asked us to stop. Not an Exception: nothing on the way may take it for an error of its own."""


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Raise :class:`StopRequested` for a Ctrl-C, a SIGTERM or a closed terminal; later ones are then ignored."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in watched:
            signal.signal(each, signal.SIG_IGN)
        raise StopRequested

    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, stop) for each in watched}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Supervisor:
    """The children, in the order of their start."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._back_off: dict[str, float] = {}
        self._started_at: dict[str, float] = {}
        self._restart_at: dict[str, float] = {}

    def start(self, child: Child, *, until: Condition, seconds: float) -> None:
        """Start a child and wait until it does its work.

        Raises:
            StartError: It ended, or took too long.
        """
        self._children.append(child)
        self._start(child)
        deadline = time.monotonic() + seconds
        while not until():
            if not child.is_alive() or time.monotonic() > deadline:
                what = "does not answer" if child.is_alive() else f"ended with {child.exit_code()}"
                raise StartError(f"The {child.name} {what}. Its log ({child.log}) ends:\n{child.last_lines()}")
            time.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Start again what has died, each time after a longer pause unless it ran well for a while. Call it often."""
        now = time.monotonic()
        for child in self._children:
            if child.is_alive():
                continue
            if child.name not in self._restart_at:
                steady = now - self._started_at[child.name] > STEADY_SECONDS
                pause = FIRST_BACK_OFF_SECONDS if steady else self._back_off.get(child.name, FIRST_BACK_OFF_SECONDS)
                self._back_off[child.name] = min(pause * 2, LONGEST_BACK_OFF_SECONDS)
                self._restart_at[child.name] = now + pause
                complain(f"The {child.name} ended ({child.exit_code()}); it is started again in {pause:.0f} s.")
            elif now >= self._restart_at[child.name]:
                del self._restart_at[child.name]
                child.end()
                self._start(child)
                say(f"The {child.name} was started again.")

    def stop(self) -> None:
        """Stop all at once, except the first one, which the others need while they finish: it goes last."""
        children = self._children[::-1]
        for child in children[:-1]:
            child.ask_to_stop()
        for child in children:
            child.ask_to_stop()
            child.end()
        self._children.clear()

    def _start(self, child: Child) -> None:
        child.start()
        self._started_at[child.name] = time.monotonic()
