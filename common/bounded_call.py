"""Calls in their own thread what may hang, with a deadline."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from typing import Generic, TypeVar

T = TypeVar("T")


class BoundedCall(Generic[T]):
    """A repeated call, one at a time; callers share it."""

    def __init__(self, ask: Callable[[], T], *, seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._running: Future[T] | None = None

    def answer(self, *, late: T) -> T:
        """Return the answer, or ``late`` if it does not come in time.

        Raises:
            Exception: What the question raised.
        """
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                # A daemon: a process must be able to end while it hangs.
                threading.Thread(target=self._run, args=(self._running,), daemon=True).start()
            running = self._running
        try:
            return running.result(timeout=self._seconds)
        except LateError:
            return late

    def _run(self, answer: "Future[T]") -> None:
        try:
            answer.set_result(self._ask())
        except Exception as error:  # noqa: BLE001  # it is raised where it was asked
            answer.set_exception(error)
