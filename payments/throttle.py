"""Limits on the background's calls: a number a minute, and pauses.

None is made while the provider refuses or does not answer.

One row for each account, so that every process keeps to one pace. What a customer waits for is not held up by it. After
an outage everything that waits is due at once: the pace lets it through a minute's worth at a time.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from django.conf import settings
from django.db import connection

from common.errors import SpokenError
from payments.providers.errors import NotSentError, OutcomeUnknownError, ProviderError

T = TypeVar("T")

_PAGE = 100
"""Rows that one call of a list brings."""
_PATIENCE = 3
"""Calls in a row without an answer, after which the provider is taken to be down."""
_LONGEST_PAUSE_SECONDS = 300


class PausedError(SpokenError):
    """The account may not be called for ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"paused for {seconds:.0f} s")
        self.seconds = seconds


def give_up(seconds: float) -> None:
    """Wait for nothing: the next run of the sweep comes anyway.

    Raises:
        PausedError: Always.
    """
    raise PausedError(seconds)


def acquire(*, provider: str, account: str, calls: int = 1) -> float:
    """Count calls about to be made, or return the seconds to wait.

    0 means that they may be made.

    A minute without a call yet lets through whatever asks: also what needs more calls than a minute has.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO payments_providerthrottle AS known (provider, account, minute, calls, failures, paused_because)
            VALUES (%(provider)s, %(account)s, date_trunc('minute', now()), %(calls)s, 0, '')
            ON CONFLICT (provider, account) DO UPDATE
                SET calls = excluded.calls + CASE WHEN known.minute = excluded.minute THEN known.calls ELSE 0 END,
                    minute = excluded.minute
                WHERE coalesce(known.paused_until, '-infinity') <= now()
                  AND (known.minute <> excluded.minute OR known.calls = 0
                       OR known.calls + %(calls)s <= %(most)s)
            """,
            {"provider": provider, "account": account, "calls": calls, "most": settings.PROVIDER_CALLS_PER_MINUTE},
        )
        if cursor.rowcount == 1:
            return 0.0
    return max(_seconds_to_wait(provider=provider, account=account, calls=calls), 0.1)


def _seconds_to_wait(*, provider: str, account: str, calls: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT greatest(extract(epoch FROM paused_until - now()),
                            CASE WHEN calls + %s > %s AND minute = date_trunc('minute', now())
                                 THEN extract(epoch FROM minute + interval '1 minute' - now()) END,
                            0)
            FROM payments_providerthrottle WHERE provider = %s AND account = %s
            """,
            [calls, settings.PROVIDER_CALLS_PER_MINUTE, provider, account],
        )
        row = cursor.fetchone()
    return float(row[0]) if row else 0.0


def count(*, provider: str, account: str, calls: int = 1) -> None:
    """Count calls that nobody could foresee; negative: they were not made."""
    _write(
        "UPDATE payments_providerthrottle SET calls = greatest(calls + %(calls)s, 0) "
        "WHERE provider = %(provider)s AND account = %(account)s AND minute = date_trunc('minute', now())",
        {"provider": provider, "account": account, "calls": calls},
    )


def wait_for(*, provider: str, account: str, wait: Callable[[float], None]) -> None:
    """Count a call about to be made, after any needed wait.

    Raises:
        PausedError: By ``wait``.
    """
    while seconds := acquire(provider=provider, account=account):
        wait(seconds)


def read_list(
    rows: Callable[[], Iterator[T]], *, provider: str, account: str, wait: Callable[[float], None] = give_up
) -> Iterator[T]:
    """Read a list of a provider at its throttle, and record failures.

    Raises:
        PausedError: By ``wait``, before any page that may not be had now.
        ProviderError: The provider did.
    """
    stream: Iterator[T] | None = None
    number = 0
    while True:
        if number % _PAGE == 0:
            wait_for(provider=provider, account=account, wait=wait)
        try:
            stream = stream or rows()
            row = next(stream, None)
        except ProviderError as error:
            note(error, provider=provider, account=account)
            raise
        if number % _PAGE == 0:
            answered(provider=provider, account=account)
        if row is None:
            return
        yield row
        number += 1


def note(error: ProviderError, *, provider: str, account: str) -> None:
    """Pause as long as the provider asked, or ever longer without answers."""
    if isinstance(error, NotSentError) and error.retry_after is not None:
        _pause(provider, account, error.retry_after, "it refuses more calls for now (429)")
    elif isinstance(error, NotSentError | OutcomeUnknownError):
        failed(provider=provider, account=account)


def rate_limited(*, provider: str, account: str, seconds: float) -> None:
    """Pause for as long as the provider asked for."""
    _pause(provider, account, seconds, "it refuses more calls for now (429)")


def failed(*, provider: str, account: str) -> None:
    """Record an unanswered call; after some in a row, pause.

    Each pause is twice as long as the last.
    """
    _write(
        """
        INSERT INTO payments_providerthrottle AS known (provider, account, minute, calls, failures, paused_because)
        VALUES (%(provider)s, %(account)s, date_trunc('minute', now()), 0, 1, '')
        ON CONFLICT (provider, account) DO UPDATE
            SET failures = known.failures + 1,
                paused_until = CASE WHEN known.failures + 1 >= %(patience)s THEN now() + make_interval(
                    secs => least(15 * 2 ^ least(known.failures + 1 - %(patience)s, 16), %(longest)s)) END,
                paused_because = CASE WHEN known.failures + 1 >= %(patience)s THEN 'it does not answer' ELSE '' END
        """,
        {
            "provider": provider,
            "account": account,
            "patience": _PATIENCE,
            "longest": _LONGEST_PAUSE_SECONDS,
        },
    )


def answered(*, provider: str, account: str) -> None:
    """Record that the provider answers; free if it did before."""
    _write(
        "UPDATE payments_providerthrottle SET failures = 0, paused_until = NULL, paused_because = '' "
        "WHERE provider = %(provider)s AND account = %(account)s AND failures > 0",
        {"provider": provider, "account": account},
    )


def _pause(provider: str, account: str, seconds: float, because: str) -> None:
    _write(
        """
        INSERT INTO payments_providerthrottle AS known
            (provider, account, minute, calls, failures, paused_until, paused_because)
        VALUES (%(provider)s, %(account)s, date_trunc('minute', now()), 0, 0,
                now() + make_interval(secs => %(seconds)s), %(because)s)
        ON CONFLICT (provider, account) DO UPDATE
            SET paused_until = greatest(known.paused_until, excluded.paused_until), paused_because = %(because)s
        """,
        {"provider": provider, "account": account, "seconds": seconds, "because": because},
    )


def _write(sql: str, values: dict[str, str | float]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
