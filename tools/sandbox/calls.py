"""A record of every API call: who asked for what, under which key, how often, and what was answered."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class CallRecord:
    """One call. A call with an idempotency key is one record however often it comes."""

    idempotency_key: str | None
    method: str
    path: str
    account: str | None
    created: float
    request_id: str
    attempts: int = 0
    status: int | None = None
    object_id: str | None = None
    dropped: int = 0


class CallLog:
    """All calls since the last reset, oldest first. The caller serializes access."""

    def __init__(self) -> None:
        self._calls: list[CallRecord] = []
        self._by_key: dict[tuple[str | None, str], CallRecord] = {}

    def arrive(
        self, *, method: str, path: str, account: str | None, key: str | None, created: float, request_id: str
    ) -> CallRecord:
        """Count a call that has come, and return its record."""
        record = self._by_key.get((account, key)) if key is not None else None
        if record is None:
            record = CallRecord(key, method, path, account, created, request_id)
            self._calls.append(record)
            if key is not None:
                self._by_key[account, key] = record
        record.attempts += 1
        return record

    @property
    def attempts(self) -> int:
        """How many requests there were, whatever became of them."""
        return sum(call.attempts for call in self._calls)

    def as_rows(self) -> list[dict[str, Any]]:
        """Return the calls as JSON."""
        return [asdict(call) for call in self._calls]
