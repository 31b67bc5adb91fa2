"""Redis calls with short time-outs and one try: all works without it."""

from functools import cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from common.circuit import Circuit

SECONDS = 0.25
"""To connect, and for an answer: what a request may lose by a Redis that hangs, once in each pause."""

UNREACHABLE = (RedisError, OSError)

circuit = Circuit("redis")
"""One for each process: what one caller has found out, all know."""


@cache
def connect(url: str, *, seconds: float = SECONDS) -> Redis:
    """Return a lazy client of a URL, safe for threads and forks."""
    return Redis.from_url(url, socket_connect_timeout=seconds, socket_timeout=seconds, retry=Retry(NoBackoff(), 0))


def answers(url: str) -> bool:
    """Tell whether Redis answers now.

    Whatever was found out before.
    """
    try:
        return bool(connect(url).ping())
    except UNREACHABLE:
        return False
