"""Faults on demand: slowness, errors before and after the effect, answers lost, refusals for coming too often.

A fault matches a method and a path, segment by segment; `*` stands for exactly one segment (or for any method), and
there is no matching by prefix: `POST /v1/payment_intents` is creation alone.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

EFFECTS = ("latency", "error_before", "error_after", "drop_answer", "rate_limit", "wrong_key", "not_found", "refuse")
METHODS = ("GET", "POST", "DELETE", "*")
LONGEST_MS = 600_000


class InvalidFault(Exception):
    """A fault was described wrongly; the message says how."""


@dataclass
class Fault:
    """One fault; `times` is how often it is left, None without end."""

    method: str
    path: str
    effect: str
    times: int | None
    ms: int
    error: dict[str, str] = field(default_factory=dict)
    """What a refusal says beside its message, such as code and param."""

    def matches(self, method: str, path: str) -> bool:
        """Say whether a request meets this fault."""
        wanted, found = _segments(self.path), _segments(path)
        return (
            self.method in (method, "*")
            and len(wanted) == len(found)
            and all(want in ("*", segment) for want, segment in zip(wanted, found, strict=True))
        )

    def as_row(self) -> dict[str, Any]:
        """Return the fault as JSON."""
        match = f"{self.method} {self.path}"
        row = {"match": match, "effect": self.effect, "times": self.times, "ms": self.ms}
        return row | ({"error": self.error} if self.error else {})


@dataclass(frozen=True)
class Met:
    """The faults that one request meets: how long it must wait, and at most one other."""

    latency_ms: int = 0
    other: Fault | None = None

    def has(self, effect: str) -> bool:
        return self.other is not None and self.other.effect == effect


class Faults:
    """The faults that are left, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, described: Any) -> Fault:
        """Add a fault described in JSON: match, effect, and maybe times (1), ms (0), error. Raises: InvalidFault."""
        fault = _parse(described)
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, method: str, path: str) -> Met:
        """Use up what a request meets: the oldest latency, and the oldest of all the others."""
        with self._lock:
            latency = self._take_first(method, path, latency=True)
            return Met(latency.ms if latency else 0, self._take_first(method, path, latency=False))

    def give_back(self, fault: Fault) -> None:
        """Undo the use of a fault that could not take effect."""
        with self._lock:
            if fault.times is None:
                return
            fault.times += 1
            if fault not in self._faults:
                self._faults.insert(0, fault)

    def as_rows(self) -> list[dict[str, Any]]:
        """Return what is left as JSON."""
        with self._lock:
            return [fault.as_row() for fault in self._faults]

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def _take_first(self, method: str, path: str, *, latency: bool) -> Fault | None:
        for fault in self._faults:
            if (fault.effect == "latency") == latency and fault.matches(method, path):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault
        return None


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _parse(described: Any) -> Fault:
    if not isinstance(described, dict):
        raise InvalidFault("A fault is a JSON object with match, effect, and optionally times, ms and error.")
    unknown = set(described) - {"match", "effect", "times", "ms", "error"}
    if unknown:
        raise InvalidFault(f"Unknown names: {', '.join(sorted(unknown))}. Known are match, effect, times, ms, error.")
    parts = str(described.get("match", "")).split()
    if len(parts) != 2 or parts[0].upper() not in METHODS or not parts[1].startswith("/v1/"):
        raise InvalidFault(
            'match must be a method and a path below /v1/, such as "POST /v1/payment_intents/*/capture".'
        )
    effect = described.get("effect")
    if effect not in EFFECTS:
        raise InvalidFault(f"effect must be one of {', '.join(EFFECTS)}.")
    times = described.get("times", 1)
    if times == -1:
        times = None
    if times is not None and (not _is_whole(times) or times < 1):
        raise InvalidFault("times must be a whole number of at least 1, or null or -1 for no end.")
    ms = described.get("ms", 0)
    if not _is_whole(ms) or not 0 <= ms <= LONGEST_MS:
        raise InvalidFault(f"ms must be a whole number from 0 to {LONGEST_MS}.")
    error = described.get("error") or {}
    if not isinstance(error, dict) or not all(isinstance(value, str) for value in error.values()):
        raise InvalidFault("error must be an object of texts, such as code and param.")
    return Fault(parts[0].upper(), parts[1], effect, times, ms, error)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
