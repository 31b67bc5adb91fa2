"""Where object ids come from: random for a server, counted for a simulation that must be repeatable."""

import secrets
import string
from typing import Protocol

ALPHABET = string.ascii_letters + string.digits


class IdSource(Protocol):
    """Makes ids that are never repeated, each beginning with a prefix such as `pi_`."""

    def new(self, prefix: str) -> str: ...


class RandomIds:
    """Ids that look like Stripe's."""

    def new(self, prefix: str) -> str:
        return prefix + "".join(secrets.choice(ALPHABET) for _ in range(24))


class SequentialIds:
    """Ids counted from one, the same in every run."""

    def __init__(self) -> None:
        self._last = 0

    def new(self, prefix: str) -> str:
        self._last += 1
        return f"{prefix}{self._last:024d}"
