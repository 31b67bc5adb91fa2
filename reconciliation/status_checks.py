"""Payments of unknown outcome: ask the provider, and act on the answer.

All goes through the one door.

:func:`check` reads only; :func:`reconcile_one` then does what follows: so a dry run can tell what it would do.
The answer to a question is never evidence of money: "captured" makes us fetch the event.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from booking import execution, outcomes, releasing
from booking.models import Reservation
from booking.states import ReservationStatus
from common import database, errors, logs, loops
from common.locking import AsOf, clocked
from payments import commands, sending, throttle
from payments.models import CheckAttempt, CheckResult, Payment
from payments.outcome_types import Effect, Outcome, PaymentOutcome, ProviderPayment
from payments.providers import registry
from payments.providers.base import Provider
from payments.providers.errors import NotSentError, ProviderError, UnreadableError
from payments.providers.notifications import Unreadable
from payments.states import COMMAND_OPEN, RefundStatus
from payments.throttle import PausedError
from reconciliation import check_attempts, contradictions, discrepancies, discrepancy_rules, missed_events
from reconciliation.accounts import Account
from reconciliation.check_attempts import Result
from webhooks import notices

logger = logging.getLogger("holdfast.reconciliation")


class Step(StrEnum):
    """What follows from a check."""

    SEND_AGAIN = "send again"
    FETCH_EVENTS = "fetch events"
    RELEASE = "release the hold"
    SETTLE = "settle"
    NOTHING_KNOWN = "nothing known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A payment, its state at the provider, and what follows."""

    payment: Payment
    step: Step
    theirs: ProviderPayment | None = None
    refs: frozenset[str] = frozenset()
    """The provider's ids of what we lack events of."""
    why: str = ""

    @property
    def status(self) -> str:
        """What the provider said, in our words."""
        return self.theirs.outcome.value if self.theirs else ""


@dataclass(slots=True)
class Tally:
    """The results of a run, one for each payment, and any pause."""

    lines: list[tuple[str, Result]] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)


def reconcile_due(*, limit: int = 500) -> Tally:
    """Check every payment that is due, and do what follows.

    Safe when two run: each check is claimed.

    An account that may not be called now is left for the next run; its payments lose no attempt by it. Read is page by
    page (``limit`` rows) to the end of what is due, so that they keep those of no other account waiting.
    """
    tally, paused = Tally(), set[Account]()

    def reconcile(payment: Payment) -> bool:
        account = Account(payment.provider, payment.provider_account)
        if account in paused:
            return False
        if wait := throttle.acquire(provider=account.provider, account=account.account):
            paused.add(account)
            tally.paused.append(f"{account}: for {wait:.0f} s")
            return False
        attempt = check_attempts.claim_due(payment_id=payment.pk)
        if attempt is not None:
            tally.lines.append((str(payment.pk), reconcile_one(attempt)))
        return attempt is not None

    due = loops.pages(check_attempts.due().only("provider", "provider_account"), size=limit)
    loops.each(loops.flat(due), reconcile, name="reconcile")
    discrepancy_rules.apply()
    return tally


def reconcile_now(*, payment: Payment, wait: Callable[[float], None]) -> Result | None:
    """Check a payment now, due or not; None while another check runs."""
    throttle.wait_for(provider=payment.provider, account=payment.provider_account, wait=wait)
    attempt = check_attempts.claim_now(payment_id=payment.pk)
    return reconcile_one(attempt) if attempt is not None else None


def reconcile_one(attempt: CheckAttempt) -> Result:
    """Check a claimed payment, do what follows, and record it.

    Failures are recorded too, never raised.
    """
    try:
        result = _do(check(payment=attempt.payment))
    except ProviderError as error:
        throttle.note(error, provider=attempt.payment.provider, account=attempt.payment.provider_account)
        held_off = isinstance(error, NotSentError) and error.retry_after is not None
        result = Result(result=CheckResult.FAILED, error=str(error), counts=not held_off)
    except PausedError as error:
        result = Result(result=CheckResult.FAILED, error=str(error), counts=False)
    except Exception as error:  # noqa: BLE001  # every failure is recorded on the check
        logs.failure(logger, "A payment could not be reconciled.", error, payment=attempt.payment_id)
        result = Result(result=CheckResult.FAILED, error=errors.describe(error))
    check_attempts.finish(attempt, result)
    return result


def check(*, payment: Payment) -> Finding:
    """Ask the provider about a payment. Reads only.

    Must be called outside a transaction.

    Raises:
        ProviderError: It cannot be asked, or a refund that may be waited for cannot be read.
    """
    given_up = commands.given_up(payment=payment).exists()
    if given_up or not payment.provider_ref:
        why = "" if given_up else "the provider has told nothing of it yet"
        return Finding(payment=payment, step=Step.SEND_AGAIN if given_up else Step.NOTHING_KNOWN, why=why)
    account = payment.provider_account
    waiting = {refund.provider_ref for refund in payment.refunds.filter(status=RefundStatus.PENDING)}
    forgotten = _is_forgotten(payment)
    if waiting:
        throttle.count(provider=payment.provider, account=account)
    database.leave_database()
    provider = registry.get(payment.provider)
    theirs = provider.fetch(ref=payment.provider_ref, account=account)
    refs, unreadable = _ended(payment, waiting, provider) if waiting else (set[str](), None)
    throttle.answered(provider=payment.provider, account=account)
    if theirs.outcome is Outcome.CAPTURED and not payment.amount_captured:
        refs.add(theirs.ref)
    if refs:
        return Finding(payment=payment, step=Step.FETCH_EVENTS, theirs=theirs, refs=frozenset(refs))
    if unreadable is not None:
        raise unreadable  # it may be the one that is waited for
    if theirs.outcome is Outcome.UNKNOWN or (forgotten and theirs.outcome is Outcome.HELD):
        why = "it is confirmed, and nothing takes the money" if forgotten else "the provider's word for it is not known"
        return Finding(payment=payment, step=Step.NOTHING_KNOWN, theirs=theirs, why=why)
    if payment.is_final and theirs.outcome not in (Outcome.CAPTURED, Outcome.CANCELED):
        return Finding(payment=payment, step=Step.RELEASE, theirs=theirs, why="closed here, and open at the provider")
    is_held = theirs.outcome is Outcome.HELD and payment.held_at is not None
    return Finding(payment=payment, step=Step.RELEASE if is_held else Step.SETTLE, theirs=theirs)


def _ended(payment: Payment, waiting: set[str], provider: Provider) -> tuple[set[str], UnreadableError | None]:
    """Return which refunds of these have ended there, and why one of the payment's cannot be read, if so."""
    ended, unreadable = set[str](), None
    for refund in provider.list_refunds(ref=payment.provider_ref, account=payment.provider_account):
        if isinstance(refund, Unreadable):
            unreadable = refund.error
        elif refund.status is not RefundStatus.PENDING and refund.ref in waiting:
            ended.add(refund.ref)
    return ended, unreadable


def _do(found: Finding) -> Result:
    if found.theirs is not None and contradictions.note_mismatch(found.payment, found.theirs):
        error = "it is of another amount or currency at the provider"
        return Result(result=CheckResult.FAILED, provider_status=found.status, error=error)
    match found.step:
        case Step.SEND_AGAIN:
            return _send_again(found.payment)
        case Step.FETCH_EVENTS:
            return _fetch_events(found)
        case Step.RELEASE:
            return _release(found)
        case Step.SETTLE:
            return _handle(found)
    return Result(result=CheckResult.FAILED, provider_status=found.status, error=found.why)


def _send_again(payment: Payment) -> Result:
    """Try what the outbox has given up once more, in its order, with the keys that it has always had."""
    done = []
    account = {"provider": payment.provider, "account": payment.provider_account}
    given_up = [AsOf.of(command) for command in clocked(commands.given_up(payment=payment))]
    for number, found in enumerate(given_up):
        command = found.row
        calls = sending.count_calls(command, now=found.at) - (number == 0)  # one is counted with the check
        if calls and (seconds := throttle.acquire(**account, calls=calls)):
            raise PausedError(seconds)
        claimed = commands.claim_once_more(command_id=command.pk)
        sent = execution.execute_claimed_of_any(claimed) if claimed is not None else None
        if sent is None or not sent.known:
            command.refresh_from_db()
            return Result(result=CheckResult.FAILED, done=f"{command.kind} was sent again", error=command.last_error)
        throttle.answered(**account)
        done.append(f"{command.kind} was sent again: known now")
    return Result(result=CheckResult.APPLIED, done="; ".join(done))


def _fetch_events(found: Finding) -> Result:
    payment = found.payment
    account = Account(payment.provider, payment.provider_account)
    if missed_events.kept_for(account):
        since = _since(payment, found.refs)
        tally = missed_events.recover_until(account=account, since=since, is_enough=lambda: not _lacks_events(found))
        done, problems = f"recovered {tally.taken} events whose webhook never came", tally.problems
    else:  # its events are what is looked up
        throttle.count(provider=payment.provider, account=payment.provider_account)
        event = notices.observe(provider=account.provider, ref=payment.provider_ref, account=account.account)
        done, problems = f"looked up: {event}", [event.error] if event.error else []
    if _lacks_events(found):
        error = "; ".join(problems) or "the provider has the money, and no event of it can be had"
        return Result(result=CheckResult.FAILED, provider_status=found.status, error=error)
    return Result(result=CheckResult.RECOVERED, provider_status=found.status, done=done)


def _lacks_events(found: Finding) -> bool:
    """Whether what the provider has done is still without evidence here."""
    if found.theirs is not None and found.theirs.ref in found.refs:
        return Payment.objects.filter(pk=found.payment.pk, amount_captured=0).exists()
    return found.payment.refunds.filter(status=RefundStatus.PENDING, provider_ref__in=found.refs).exists()


def _release(found: Finding) -> Result:
    released = releasing.release_unwanted(payment_id=found.payment.pk, reason="a hold that nothing needs")
    if found.why:  # a person keeps seeing it until the provider says that no money can come
        return Result(result=CheckResult.FAILED, provider_status=found.status, error=found.why)
    if released is None:
        return Result(result=CheckResult.IN_STEP, provider_status=found.status)
    return Result(result=CheckResult.RELEASED, provider_status=found.status, done="the hold's release is stored")


def _handle(found: Finding) -> Result:
    """Put what the provider said through the one door: by the same transition table as an event."""
    if found.theirs is None:
        raise ValueError("There is nothing to handle.")
    outcome = PaymentOutcome(
        provider=found.payment.provider,
        payment=found.theirs,
        payment_id=found.payment.pk,
        kind=found.theirs.outcome,
        failure=found.theirs.failure,
        actor=discrepancies.ACTOR,
        reason=f"the provider was asked: {found.theirs.outcome}",
    )
    with database.use_case():
        result = outcomes.handle(outcome=outcome)
    moved = result.effect in (Effect.APPLIED, Effect.REFUNDING) and result.payment.status != found.payment.status
    if moved:
        done = f"{found.payment.status} → {result.payment.status}"
        return Result(result=CheckResult.APPLIED, provider_status=found.status, done=done)
    return Result(result=CheckResult.IN_STEP, provider_status=found.status)


def _is_forgotten(payment: Payment) -> bool:
    """Whether a reservation is confirmed and nothing is on its way that would take its money."""
    confirmed = Reservation.objects.filter(payment=payment, status=ReservationStatus.CONFIRMED)
    return confirmed.exists() and not payment.commands.filter(status__in=sorted(COMMAND_OPEN)).exists()


def _since(payment: Payment, refs: frozenset[str]) -> datetime:
    """Return from when on the events can be that are lacking."""
    if payment.amount_captured:
        refunds = payment.refunds.filter(provider_ref__in=refs).order_by("created_at")
        return refunds.values_list("created_at", flat=True).first() or payment.created_at
    return payment.created_at
