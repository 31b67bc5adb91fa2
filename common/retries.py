"""How long to wait before something is tried again."""

import random
from datetime import timedelta

_MOST_DOUBLINGS = 32
"""More would overflow a time, and reach every longest wait long before."""
_LONGEST_ASKED_SECONDS = 24 * 60 * 60.0


def delay(failures: int, *, first: timedelta, longest: timedelta, asked: float | None = None) -> timedelta:
    """Double the wait with each failure, up to ``longest``; spread it.

    ``asked`` are the seconds of a ``Retry-After``, which count in its place: never less, at most twice as many.
    """
    if asked is not None:
        return timedelta(seconds=asked) * (1 + _part())
    return spread(min(first * int(2 ** min(max(failures - 1, 0), _MOST_DOUBLINGS)), longest))


def spread(longest: timedelta, *, least: float = 0.5) -> timedelta:
    """Shorten a wait at random, at least to ``least`` of it.

    So what failed together does not come back together.
    """
    return longest * (least + (1 - least) * _part())


def read_retry_after(header: str | None) -> float | None:
    """Read the seconds of a ``Retry-After``, at most a day; or None."""
    if not header or not (header.isascii() and header.isdecimal()):
        return None
    return min(float(header[:12]), _LONGEST_ASKED_SECONDS)


def _part() -> float:
    return random.random()  # noqa: S311  # spreads retries, not a secret
