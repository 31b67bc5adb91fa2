"""How long a command waits before it is sent again."""

import random
from datetime import timedelta

_FIRST_DELAY = timedelta(seconds=30)
_LONGEST_DELAY = timedelta(hours=1)


def delay(attempts: int, asked: float | None) -> timedelta:
    """Exponential in the attempts of this round, with jitter so that many do not come back at one moment."""
    if asked is not None:
        return timedelta(seconds=asked) * (1 + random.random())  # noqa: S311  # not a secret
    longest = min(_FIRST_DELAY * int(2 ** max(attempts - 1, 0)), _LONGEST_DELAY)
    return longest * (0.5 + random.random() / 2)  # noqa: S311  # not a secret
