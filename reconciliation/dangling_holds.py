"""Holds at the provider that nobody needs (P7), read from its lists."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings

from booking import releasing
from booking.models import Change, Reservation
from booking.states import ChangeStatus, ReservationStatus
from common import currencies, database, loops
from payments import throttle
from payments.models import Payment
from payments.outcome_types import Outcome, ProviderPayment
from payments.providers import registry
from payments.providers.errors import NotSentError, OutcomeUnknownError, ProviderError
from payments.states import COMMAND_OPEN
from payments.throttle import PausedError
from reconciliation import accounts, discrepancies, evidence, queries, watermarks
from reconciliation.accounts import Account
from reconciliation.models import DiscrepancyKind
from reconciliation.promises import Promise, Verdict
from reconciliation.queries import Wait

logger = logging.getLogger("holdfast.reconciliation")

_MARGIN = timedelta(days=1)
"""Older holds than the longest of their provider, and this, have ended by themselves."""
_STEP = timedelta(hours=6)
_NAME = "holds"
_UNWANTED = "a hold that nothing needs"
_EXAMPLES = 5
_WANTED = (ReservationStatus.AWAITING_PAYMENT, ReservationStatus.PENDING, ReservationStatus.CONFIRMED)

PROMISE = Promise(
    number="P7",
    text="At the provider: every hold of ours has a live reservation, or its release is on its way",
    breaches="",
)


class Whose(StrEnum):
    """Who a hold at the provider is for."""

    SOMEBODY = "somebody"
    NOBODY = "nobody"
    LOST = "lost"
    """Made by this installation, by the name on it, and there is no row of it (any more)."""
    FOREIGN = "foreign"


@dataclass(slots=True)
class Tally:
    """What a run came to, by the provider's ids."""

    released: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def release_unread() -> Tally:
    """Release recent unneeded holds, and report foreign ones."""
    tally = Tally()
    loops.each(_that_hold(), lambda account: _release_unread(account, tally), name="release_holds", label=str)
    return tally


def _release_unread(account: Account, tally: Tally) -> int:
    now = database.now()
    window = _window(account)
    since = max(watermarks.unread(name=_NAME, account=account, now=now, first=window), now - window)
    before, is_complete = len(tally.released), True
    try:
        # A hold is made before we have heard of it: the newest are left for the next run.
        until = now - timedelta(seconds=settings.RECONCILE_AFTER_SECONDS)
        for start, end in watermarks.slices(since=since, until=until, step=_STEP):
            is_complete = _release_between(account, start, end, tally) and is_complete
            if is_complete:  # else the mark stays before the first that failed
                watermarks.note_read(name=_NAME, account=account, until=end)
    except (ProviderError, PausedError) as error:
        logger.warning("Holds cannot be read now.", extra={"account": str(account), "error": str(error)})
        tally.problems.append(f"{account}: {error}")
    return len(tally.released) - before


def check(*, wait: Wait = throttle.give_up) -> Verdict:
    """Ask each provider for recent payments, and find unneeded holds.

    Outside any transaction.

    Raises:
        ProviderError, PausedError: A provider cannot be asked.
    """
    found = []
    for account in _that_hold():
        for theirs in _held(account, since=database.now() - _window(account), until=None, wait=wait):
            whose = _whose(theirs)
            if theirs.payment_id is not None and whose in (Whose.NOBODY, Whose.LOST, Whose.FOREIGN):
                what = (
                    f"held {currencies.shown(theirs.amount, theirs.currency)} for nobody (payment {theirs.payment_id})"
                )
                found.append((theirs.ref, what))
    return Verdict(promise=PROMISE, breaches=len(found), examples=found[:_EXAMPLES])


def _that_hold() -> list[Account]:
    """List the accounts at providers that can hold money."""
    return [each for each in accounts.list_accounts() if registry.get(each.provider).capabilities.longest_hold]


def _window(account: Account) -> timedelta:
    """Return how far back a hold of an account can still be one."""
    return (registry.get(account.provider).capabilities.longest_hold or timedelta()) + _MARGIN


def _release_between(account: Account, since: datetime, until: datetime, tally: Tally) -> bool:
    """Release or report the holds made in a time; says whether all were dealt with.

    Raises:
        ProviderError, PausedError: The provider cannot be asked on.
    """

    def deal_with(theirs: ProviderPayment) -> bool:
        whose = _whose(theirs)
        if whose is Whose.NOBODY and theirs.payment_id is not None:
            is_dealt_with = releasing.release_unwanted(payment_id=theirs.payment_id, reason=_UNWANTED) is not None
        elif whose is Whose.LOST:
            is_dealt_with = _release_lost(account, theirs)
        else:
            if whose is Whose.FOREIGN and _report(account, theirs):
                tally.reported.append(theirs.ref)
            return False
        tally.released += [theirs.ref] if is_dealt_with else []
        return is_dealt_with

    held = _held(account, since=since, until=until)
    ends = (PausedError, NotSentError, OutcomeUnknownError)  # a refusal is of one hold, these are of the provider
    run = loops.each(held, deal_with, name="release_holds", ends=ends, label=lambda theirs: theirs.ref)
    tally.problems += run.problems
    run.reraise(ProviderError, PausedError)
    return run.is_complete


def _held(
    account: Account, *, since: datetime, until: datetime | None, wait: Wait = throttle.give_up
) -> Iterator[ProviderPayment]:
    found = queries.read(
        account,
        lambda provider: provider.list_payments(since=since, until=until, account=account.account),
        wait=wait,
    )
    return (theirs for theirs in found if theirs.outcome is Outcome.HELD)


def _whose(theirs: ProviderPayment) -> Whose:
    ours = Payment.objects.filter(pk=theirs.payment_id).first() if theirs.payment_id else None
    if ours is None:
        is_own = theirs.payment_id is not None and bool(theirs.installation)
        return Whose.LOST if is_own and theirs.installation == settings.INSTALLATION else Whose.FOREIGN
    return Whose.SOMEBODY if _is_wanted(ours) else Whose.NOBODY


def _is_wanted(ours: Payment) -> bool:
    """Whether a live reservation needs the hold, a command is on its way, or a person has been told."""
    if ours.stuck_at is not None or Reservation.objects.filter(payment=ours, status__in=_WANTED).exists():
        return True
    if ours.managed_part and Change.objects.filter(pk=ours.managed_part, status=ChangeStatus.OPEN).exists():
        return True
    if not ours.managed_by and not ours.is_final:
        return True  # held by the payments API, which captures or cancels it
    return ours.commands.filter(status__in=sorted(COMMAND_OPEN), next_attempt_at__isnull=False).exists()


def _release_lost(account: Account, theirs: ProviderPayment) -> bool:
    """Release a hold without a row of ours.

    There can be no command without one, so what was done is kept here.

    Cancelling twice has no second effect, so a process that dies before the note does it again.

    Raises:
        ProviderError, PausedError: It cannot be cancelled now.
    """
    key = f"{theirs.payment_id}:lost"
    throttle.wait_for(provider=account.provider, account=account.account, wait=throttle.give_up)
    registry.get(account.provider).cancel(ref=theirs.ref, parameters={}, key=key, account=account.account)
    opened = _report(account, theirs, summary="A hold of this installation that no row here knows; it was released.")
    if opened:
        logger.warning("A hold without a row was released.", extra={"ref": theirs.ref})
    return True


def _report(account: Account, theirs: ProviderPayment, summary: str = "") -> bool:
    money = currencies.shown(theirs.amount, theirs.currency)
    made = f" It was made by the installation {theirs.installation}." if theirs.installation else ""
    return discrepancies.open_once(
        kind=DiscrepancyKind.FOREIGN_HOLD,
        account=account,
        subject=theirs.ref,
        summary=summary or f"{money} is held at the provider and not known here.{made}",
        difference={"theirs": {"amount": theirs.amount, "currency": theirs.currency}},
        seen={"ours": None, "theirs": evidence.of_theirs(theirs)},
    )
