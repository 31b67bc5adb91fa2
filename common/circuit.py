"""A circuit breaker for a service that we can do without."""

import logging
import threading
import time

logger = logging.getLogger("holdfast.circuit")

PAUSE_SECONDS = 5.0


class Circuit:
    """Tells whether a service may be called.

    One call in each pause tries whether it is back.
    """

    def __init__(self, name: str, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._name = name
        self._pause_seconds = pause_seconds
        self._closed_until = 0.0
        self.is_well = True
        self._lock = threading.Lock()

    def may_call(self) -> bool:
        """Tell whether to call the service now.

        While it is away, one caller after each pause may.
        """
        if self.is_well:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._closed_until:
                return False
            self._closed_until = now + self._pause_seconds
            return True

    def worked(self) -> None:
        """Note that a call was answered."""
        if not self.is_well:
            logger.warning("A service answers again.", extra={"service": self._name})
        self.is_well = True

    def failed(self, error: Exception) -> None:
        """Note that a call was not answered."""
        with self._lock:
            self._closed_until = time.monotonic() + self._pause_seconds
            was_well, self.is_well = self.is_well, False
        if was_well:
            logger.error("A service does not answer; we go on without it.",
                         extra={"service": self._name, "error": f"{type(error).__name__}: {error}"})  # fmt: skip
