"""Idempotency keys as Stripe keeps them: the first answer for each key, for 24 hours.

See https://docs.stripe.com/api/idempotent_requests and https://docs.stripe.com/error-low-level#idempotency.
"""

from dataclasses import dataclass

from tools.sandbox.clock import Clock
from tools.sandbox.form import Params
from tools.sandbox.stripe.errors import (
    InvalidRequest,
    KeyInUse,
    KeyUsedOnOtherEndpoint,
    KeyUsedWithOtherParams,
)

KEPT_SECONDS = 24 * 3600
LONGEST_KEY = 255


@dataclass(frozen=True)
class Saved:
    """An answer kept under a key, and the request that first got it."""

    status: int
    body: bytes
    request_id: str


@dataclass
class _Entry:
    path: str
    params: Params
    request_id: str
    begun_at: float
    saved: Saved | None = None


class IdempotencyKeys:
    """The keys of one account. The caller serializes access."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    def begin(self, key: str, path: str, params: Params, request_id: str) -> Saved | None:
        """Return the answer kept under the key, or claim the key and return None.

        Raises: KeyInUse while the first request is being executed, KeyUsedOnOtherEndpoint, KeyUsedWithOtherParams.
        """
        if len(key) > LONGEST_KEY:
            raise InvalidRequest(f"Idempotency keys can have up to {LONGEST_KEY} characters, this one has {len(key)}.")
        self._forget_old()
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = _Entry(path, params, request_id, self._clock.now())
            return None
        if entry.path != path:
            raise KeyUsedOnOtherEndpoint(key, path, entry.path)
        if entry.params != params:
            raise KeyUsedWithOtherParams(key)
        if entry.saved is None:
            raise KeyInUse(key)
        return entry.saved

    def is_of(self, key: str, params: Params) -> bool:
        """Say whether a key is kept, and was first used for a request with these parameters."""
        entry = self._entries.get(key)
        return entry is not None and entry.params == params

    def save(self, key: str, status: int, body: bytes) -> None:
        """Keep the answer of the request that claimed the key."""
        entry = self._entries[key]
        entry.saved = Saved(status, body, entry.request_id)

    def release(self, key: str) -> None:
        """Forget a claimed key whose request was refused before it was executed."""
        del self._entries[key]

    def _forget_old(self) -> None:
        # The oldest come first, so this stops at the first that is still kept.
        while self._entries:
            key, oldest = next(iter(self._entries.items()))
            if oldest.saved is None or self._clock.now() - oldest.begun_at < KEPT_SECONDS:
                return
            del self._entries[key]
