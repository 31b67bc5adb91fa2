"""Settlement: a day of the provider's ledger against ours (P12).

Per payment and per payout, to the cent.

The ledger is read slice by slice into our copy of it, and compared with our payments in the database: no more than a
batch is ever in memory, and a run that is stopped goes on where it stood.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import IntegrityError

from common import currencies, database, errors, loops
from common.loops import Tally
from payments import throttle
from payments.outcome_types import ProviderPayout
from payments.providers import registry
from payments.providers.base import Ledger, Payouts
from payments.providers.errors import ProviderError
from payments.throttle import PausedError
from reconciliation import discrepancies, ledger, ledger_comparison, queries, watermarks
from reconciliation.accounts import Account
from reconciliation.models import DiscrepancyKind, SettlementRun, SettlementStatus
from reconciliation.queries import Wait

logger = logging.getLogger("holdfast.reconciliation")

_STEP = timedelta(hours=1)
_MADE_UP_FOR = 30
_ITEMIZED_WITHIN = timedelta(days=7)
_NAME = "ledger"
LATEST = timedelta(hours=3)
"""A day is settled by itself so long after its end, when what was in flight has landed."""


def settle(
    *,
    account: Account,
    day: date,
    wait: Wait = throttle.give_up,
    progress: Callable[[float], None] = lambda done: None,
) -> SettlementRun:
    """Compare a day (in UTC) of an account, or resume its run.

    ``progress`` is told parts of one.

    Read are the day itself, and what has come into the ledger since it was last read, since a payment is compared as
    it is now. Must be called outside a transaction.

    Raises:
        ProviderError, PausedError: The provider cannot be asked now; what was read stays.
        IncompleteError: A line of the ledger is wrong in a way that we cannot store. All others are read and compared,
            and the day is not finished.
    """
    now = database.now()
    start, end = bounds(day)
    run = _begin(account, day, start, now)
    spans = [(run.read_until, min(end, now)), (max(end, _unread(account, now, end)), now)]
    slices = [part for since, until in spans for part in watermarks.slices(since=since, until=until, step=_STEP)]
    read = Tally()
    for number, (since, until) in enumerate(slices, start=1):
        read.add(ledger.read(account=account, since=since, until=until, wait=wait))
        if until <= end and read.is_complete:
            run.read_until = until
            run.save(update_fields=["read_until"])
        progress(number / (len(slices) + 1))
    if read.is_complete:
        watermarks.note_read(name=_NAME, account=account, until=now)
    payouts = _check_payouts(account, start, min(end, now), wait)
    compared = ledger_comparison.compare(
        account=account, since=start, until=min(end, now), books_begin=_books_begin(account)
    )
    if not (read.is_complete and payouts.is_complete and compared.is_complete):
        raise ledger.IncompleteError(f"{day} of {account} is not finished: not all of the ledger could be stored.")
    run.payments, run.totals = compared.payments, compared.totals
    run.payouts, run.differences = payouts.number, compared.differences + payouts.wrong
    run.finish(at=database.now())
    run.save()
    progress(1.0)
    return run


def settle_due(*, accounts: Sequence[Account]) -> int:
    """Settle every finished day of every account; returns how many.

    Days that nobody settled while the worker was away are made up for, as far back as a month. An account that cannot
    be asked now stops no other, and goes on the next time.
    """
    now = database.now()
    return loops.each(
        with_ledger(accounts), lambda account: _settle_days(account, now), name="settle_account", label=str
    ).done


def with_ledger(accounts: Sequence[Account]) -> list[Account]:
    """Choose the accounts at providers whose ledger can be read."""
    return [account for account in accounts if isinstance(registry.get(account.provider), Ledger)]


def _settle_days(account: Account, now: datetime) -> int:
    def settle_day(day: date) -> None:
        settle(account=account, day=day)

    ends = (ProviderError, PausedError)
    run = loops.each(_unsettled(account, now), settle_day, name="settle", ends=ends, label=str)
    if run.ended_by is not None:
        told = {"account": str(account), "error": errors.describe(run.ended_by)}
        logger.warning("A day cannot be settled now.", extra=told)
    return run.done


def _unsettled(account: Account, now: datetime) -> list[date]:
    """List the days to settle, the earliest first, also between settled ones; the very first time only yesterday."""
    yesterday = (now.astimezone(UTC) - LATEST).date() - timedelta(days=1)
    runs = SettlementRun.objects.filter(
        provider=account.provider, account=account.account, status=SettlementStatus.DONE, date__lte=yesterday
    )
    # A day that somebody has settled before it was over has to be settled again.
    done = {run.date for run in runs.order_by("-date")[: _MADE_UP_FOR * 2] if run.is_of_whole_day}
    first = max(min(done, default=yesterday), yesterday - timedelta(days=_MADE_UP_FOR))
    days = [first + timedelta(days=number) for number in range((yesterday - first).days + 1)]
    return [day for day in days if day not in done]


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return the beginning of a day in UTC, and its end."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


def _begin(account: Account, day: date, start: datetime, now: datetime) -> SettlementRun:
    about = {"provider": account.provider, "account": account.account, "date": day}
    going_on = SettlementRun.objects.filter(**about, status=SettlementStatus.READING)
    found = going_on.first()
    if found is not None:
        return found
    try:
        return SettlementRun.objects.create(**about, read_until=start, started_at=now)
    except IntegrityError:  # another one has begun it at this moment: both read, each line is stored once
        return going_on.get()


def _unread(account: Account, now: datetime, end: datetime) -> datetime:
    return watermarks.unread(name=_NAME, account=account, now=now, first=max(now - end, timedelta()))


def _books_begin(account: Account) -> datetime:
    """Return since when we have read the account's ledger."""
    runs = SettlementRun.objects.filter(provider=account.provider, account=account.account)
    return bounds(runs.order_by("date").values_list("date", flat=True)[0])[0]


@dataclass(slots=True)
class _Payouts:
    """How many payouts were compared, how many are wrong, and whether all could be."""

    number: int
    wrong: int
    is_complete: bool


def _check_payouts(account: Account, since: datetime, until: datetime, wait: Wait) -> _Payouts:
    """Compare each payout of a time with the sum of what it is made of.

    The provider itemizes a payout only after a while: those of the week before are compared too, if they were not yet.
    """
    compared: list[str] = []
    provider = registry.get(account.provider)
    if not isinstance(provider, Payouts):
        return _Payouts(number=0, wrong=0, is_complete=True)
    told = provider

    def compare(payout: ProviderPayout) -> bool:
        is_new = payout.created_at >= since or not ledger.has_payout(account=account, ref=payout.ref)
        if not (payout.is_itemized and is_new):
            return False
        is_wrong = _is_wrong(account, payout, wait)
        compared.append(payout.ref)
        return is_wrong

    ends = (ProviderError, PausedError)
    payouts = queries.read(
        account,
        lambda _: told.list_payouts(since=since - _ITEMIZED_WITHIN, until=until, account=account.account),
        wait=wait,
    )
    run = loops.each(payouts, compare, name="check_payouts", ends=ends, label=lambda payout: payout.ref)
    run.reraise(*ends)
    return _Payouts(number=len(compared), wrong=run.done, is_complete=run.is_complete)


def _is_wrong(account: Account, payout: ProviderPayout, wait: Wait) -> bool:
    """Open a discrepancy for a payout that is not the sum of what it is made of; says whether it is a new one."""
    total = ledger.read_payout(account=account, payout_ref=payout.ref, wait=wait)
    if total == payout.amount:
        return False
    here, there = (currencies.shown(amount, payout.currency) for amount in (total, payout.amount))
    return discrepancies.open_once(
        kind=DiscrepancyKind.AMOUNT,
        account=account,
        subject=payout.ref,
        summary=f"The payout is {there}; its lines add up to {here}.",
        difference={"ours": {"net": total}, "theirs": {"amount": payout.amount, "currency": payout.currency}},
        seen={"ours": {"net": total}, "theirs": {"amount": payout.amount, "status": payout.status}},
    )
