"""How many requests somebody may make: counted in fixed windows, in one place for all processes.

Redis counts where there is one that answers; else a table that is not logged, since a crash may forget a minute's
counts. A Redis that is away makes the limits more generous for a moment, and stops nobody.
"""

import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common import redis_client
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


def refuse_stranger(request: Request) -> None:
    """Count a request without a valid key against its address, so that keys are not guessed at leisure.

    Raises:
        Throttled: There have been too many.
    """
    wait = count(f"address:{BaseThrottle().get_ident(request)}"[:200])
    if wait is not None:
        raise exceptions.Throttled(wait)


def wait_to_sign_in(request: HttpRequest, name: str) -> float | None:
    """Count a try to sign in against its address and its name; returns the seconds to wait if it is too many."""
    address = f"sign-in from {BaseThrottle().get_ident(request)}"  # type: ignore[arg-type]  # reads META alone
    tries = [count(who[:200], rate=settings.LOGIN_RATE) for who in (address, f"sign-in as {name.lower()}")]
    return max((wait for wait in tries if wait is not None), default=None)


def count(who: str, *, rate: str = "") -> float | None:
    """Count a request; returns the seconds to wait if it is one too many (of ``API_RATE`` unless said), else None."""
    allowed = Rate.of(rate or settings.API_RATE)
    number, left = _count_in_redis(who, allowed) or _count_in_database(who, allowed)
    return max(left, 1.0) if number > allowed.requests else None


def forget_old() -> int:
    """Delete counts whose window is over for long; returns how many. Safe when two run."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tenants_requestcount WHERE ends_at < now() - interval '1 hour'")
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


def _count_in_redis(who: str, rate: Rate) -> tuple[int, float] | None:
    """Count in one round trip; None if there is no Redis, or none that answers."""
    if not settings.REDIS_URL or not circuit.may_call():
        return None
    window, passed = divmod(time.time(), rate.seconds)
    key = f"requests:{who}:{window:.0f}"
    try:
        with redis_client.connect(settings.REDIS_URL).pipeline() as together:
            together.set(key, 0, ex=rate.seconds, nx=True)
            together.incr(key)
            _, number = together.execute()
    except UNREACHABLE as error:
        circuit.failed(error)
        return None
    circuit.worked()
    return int(number), rate.seconds - passed
