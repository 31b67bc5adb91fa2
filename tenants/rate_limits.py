"""Rate limits: requests in fixed windows, counted once for all processes.

Redis counts where there is one that answers; else a table that is not logged, since a crash may forget a minute's
counts. A Redis that is away makes the limits more generous for a moment, and stops nobody.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from common import loops, redis_client
from common.redis_client import UNREACHABLE, circuit

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    requests: int
    seconds: int

    @classmethod
    def of(cls, text: str) -> "Rate":
        """Read a rate such as 600/min; the settings have checked it."""
        requests, _, period = text.partition("/")
        return cls(int(requests), _SECONDS[period[0]])

    def times(self, factor: int) -> "Rate":
        """Return a rate that many times as high."""
        return Rate(self.requests * factor, self.seconds)


def count(who: str, *, rate: Rate | None = None) -> float | None:
    """Count a request; returns the seconds to wait, None if allowed.

    The limit is ``API_RATE`` unless given.
    """
    allowed = rate or Rate.of(settings.API_RATE)
    number, left = tell(who, rate=allowed)
    return max(left, 1.0) if number > allowed.requests else None


def tell(who: str, *, rate: Rate) -> tuple[int, float]:
    """Count a request; returns the window's count and its remaining seconds."""
    return _count_in_redis(who, rate) or _count_in_database(who, rate)


def find_wait(who: str, *, rate: Rate) -> float | None:
    """Return the seconds to wait if the limit is reached, else None.

    Counts nothing.
    """
    number, left = _look_in_redis(who, rate) or _look_in_database(who)
    return max(left, 1.0) if number >= rate.requests else None


def forget_old() -> int:
    """Delete counts of past windows; returns how many. Safe when two run."""
    return loops.batches(loops.cut(_list_old()), _forget, name="forget_request_counts").done


def _list_old() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT who FROM tenants_requestcount WHERE ends_at < now() - interval '1 hour'")
        return [who for (who,) in cursor.fetchall()]


def _forget(counted: Sequence[str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM tenants_requestcount WHERE who = ANY(%s) AND ends_at < now() - interval '1 hour'",
            [list(counted)],
        )
        return int(cursor.rowcount)


def _count_in_database(who: str, rate: Rate) -> tuple[int, float]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tenants_requestcount AS known (who, requests, ends_at)
            VALUES (%(who)s, 1, now() + make_interval(secs => %(seconds)s))
            ON CONFLICT (who) DO UPDATE
                SET requests = CASE WHEN known.ends_at > now() THEN known.requests + 1 ELSE 1 END,
                    ends_at = CASE WHEN known.ends_at > now() THEN known.ends_at ELSE excluded.ends_at END
            RETURNING requests, extract(epoch FROM ends_at - now())
            """,
            {"who": who, "seconds": rate.seconds},
        )
        number, left = cursor.fetchone()
    return int(number), float(left)


def _look_in_database(who: str) -> tuple[int, float]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT requests, extract(epoch FROM ends_at - now()) FROM tenants_requestcount "
            "WHERE who = %s AND ends_at > now()",
            [who],
        )
        number, left = cursor.fetchone() or (0, 0)
    return int(number), float(left)


def _look_in_redis(who: str, rate: Rate) -> tuple[int, float] | None:
    if not settings.REDIS_URL or not circuit.may_call():
        return None
    key, left = _window(who, rate)
    try:
        number = redis_client.connect(settings.REDIS_URL).get(key)
    except UNREACHABLE as error:
        circuit.failed(error)
        return None
    circuit.worked()
    return int(number or 0), left


def _window(who: str, rate: Rate) -> tuple[str, float]:
    """Return the key of the window that it is now, and the seconds until it ends."""
    window, passed = divmod(time.time(), rate.seconds)
    return f"requests:{who}:{window:.0f}", rate.seconds - passed


def _count_in_redis(who: str, rate: Rate) -> tuple[int, float] | None:
    """Count in one round trip; None if there is no Redis, or none that answers."""
    if not settings.REDIS_URL or not circuit.may_call():
        return None
    key, left = _window(who, rate)
    try:
        with redis_client.connect(settings.REDIS_URL).pipeline() as together:
            together.set(key, 0, ex=rate.seconds, nx=True)
            together.incr(key)
            _, number = together.execute()
    except UNREACHABLE as error:
        circuit.failed(error)
        return None
    circuit.worked()
    return int(number), left
