"""Status checks of payments: claimed before the call, with back-off.

One payment at a time; each check has a number.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from common import database, retries
from payments import commands, locks
from payments.models import CheckAttempt, CheckResult, Command, Payment
from payments.states import COMMAND_OPEN

LEASE = timedelta(minutes=5)
"""A check that has run for longer than this is taken to be dead."""
_FIRST_DELAY = timedelta(minutes=1)
_LONGEST_DELAY = timedelta(days=1)
_LONGEST_WAIT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a check.

    ``counts``: this failure counts towards telling a person.
    """

    result: CheckResult
    provider_status: str = ""
    done: str = ""
    error: str = ""
    counts: bool = True


def due() -> QuerySet[Payment]:
    """Select payments that are due for a check. Takes no lock.

    Left out are those that only wait for the next attempt of the command that makes them: there is nothing to ask for.
    Any other command of theirs waits for that one, and says nothing.
    """
    coming = Command.objects.filter(
        payment=OuterRef("pk"),
        kind__in=commands.STARTING,
        status__in=sorted(COMMAND_OPEN),
        next_attempt_at__isnull=False,
    )
    return Payment.objects.filter(_is_due()).exclude(Q(provider_ref="") & Exists(coming)).order_by("next_check_at")


def claim_due(*, payment_id: UUID) -> CheckAttempt | None:
    """Begin a check; None if not due or already begun.

    One short transaction.
    """
    return _claim(Q(pk=payment_id) & _is_due())


def claim_now(*, payment_id: UUID) -> CheckAttempt | None:
    """Begin a check, due or not; None while another one is running."""
    alive = CheckAttempt.objects.filter(payment=payment_id, result=CheckResult.RUNNING, at__gt=Now() - LEASE)
    return _claim(Q(pk=payment_id) & ~Q(pk__in=alive.values("payment")))


def finish(attempt: CheckAttempt, result: Result) -> None:
    """Record a check's result, and flag the payment after many failures.

    The time of the next check is set, too.
    """
    with database.use_case():
        locked = locks.find_payment_for_update(pk=attempt.payment_id)
        if locked is None:
            return
        payment, at = locked.row, locked.at
        if not payment.check_attempts.filter(pk=attempt.pk, result=CheckResult.RUNNING).exists():
            return  # it took longer than its lease, and another check has run since
        _note(attempt, result, at)
        changes = _flag(payment, attempt, at)
        if payment.next_check_at == attempt.payment.next_check_at:  # else something has changed, and a new time began
            payment.next_check_at = at + _delay(payment, attempt, at) - _after()
            changes.append("next_check_at")
        database.update_together((attempt, ["result", "provider_status", "done", "error", "failures", "finished_at"]))
        database.update_together((payment, changes))


def _claim(where: Q) -> CheckAttempt | None:
    with database.use_case():
        locked = locks.find_payment_to_check(where=where)
        if locked is None:
            return None
        payment, at = locked.row, locked.at
        last = payment.check_attempts.order_by("-number").first()
        if last is not None and last.result == CheckResult.RUNNING:
            _note(last, Result(result=CheckResult.FAILED, error="the process died during this check"), at)
            last.save()
        payment.next_check_at = at + LEASE - _after()
        Payment.objects.filter(pk=payment.pk).update(next_check_at=payment.next_check_at)
        number, failures = (last.number, last.failures) if last else (0, 0)
        return CheckAttempt.objects.create(payment=payment, number=number + 1, failures=failures, at=at)


def _note(attempt: CheckAttempt, result: Result, at: datetime) -> None:
    attempt.result = result.result
    attempt.provider_status = result.provider_status[:64]
    attempt.done, attempt.error = result.done, result.error
    attempt.finished_at = at
    if result.result == CheckResult.FAILED:
        attempt.failures += 1 if result.counts else 0
    else:
        attempt.failures = 0


def _flag(payment: Payment, attempt: CheckAttempt, at: datetime) -> list[str]:
    """Flag a payment that nobody could find out about, or take the flag from one that is in order again."""
    if attempt.failures >= settings.RECONCILE_MAX_ATTEMPTS and payment.stuck_at is None:
        payment.flag_stuck(at=at, because=f"{attempt.failures} checks with the provider have failed ({attempt.error})")
        return ["stuck_at", "stuck_because"]
    if attempt.failures == 0 and payment.unflag():
        return ["stuck_at", "stuck_because"]
    return []


def _delay(payment: Payment, attempt: CheckAttempt, at: datetime) -> timedelta:
    """Exponential with jitter: after failures from a minute on, else for as long again as it has stood as it is."""
    if attempt.failures:
        return retries.delay(attempt.failures, first=_FIRST_DELAY, longest=_LONGEST_DELAY)
    stood: timedelta = max(at - payment.changed_at, _after())
    return retries.spread(min(stood, _LONGEST_WAIT), least=0.75)


def _after() -> timedelta:
    return timedelta(seconds=settings.RECONCILE_AFTER_SECONDS)


def _is_due() -> Q:
    return Q(next_check_at__lte=Now() - _after())
