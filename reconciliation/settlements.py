"""Settlement: a day of the provider's books against ours, per payment and per payout, to the cent (P12).

The books are read slice by slice into our copy of them, and compared with our payments in the database: no more than a
batch is ever in memory, and a run that is stopped goes on where it stood.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from django.db import IntegrityError

from common import database
from payments import pacing
from payments.providers import registry
from reconciliation import books, comparing, discrepancies, windows
from reconciliation.accounts import Account
from reconciliation.missed_events import Wait
from reconciliation.models import DiscrepancyKind, SettlementRun, SettlementStatus

_STEP = timedelta(hours=1)
_NAME = "books"
LATEST = timedelta(hours=3)
"""A day is settled by itself so long after its end, when what was in flight has landed."""


def settle(
    *,
    account: Account,
    day: date,
    wait: Wait = pacing.give_up,
    progress: Callable[[float], None] = lambda done: None,
) -> SettlementRun:
    """Compare a day (in UTC) of an account; goes on with a run that was stopped. ``progress`` is told parts of one.

    Read are the day itself, and what has come into the books since they were last read, since a payment is compared as
    it is now. Must be called outside a transaction.

    Raises:
        ProviderError, PausedError: The provider cannot be asked now; what was read stays.
    """
    now = database.now()
    start, end = bounds(day)
    run = _begin(account, day, start, now)
    spans = [(run.read_until, min(end, now)), (max(end, _unread(account, now, end)), now)]
    slices = [part for since, until in spans for part in windows.slices(since=since, until=until, step=_STEP)]
    for number, (since, until) in enumerate(slices, start=1):
        books.read(account=account, since=since, until=until, wait=wait)
        if until <= end:
            run.read_until = until
            run.save(update_fields=["read_until"])
        progress(number / (len(slices) + 1))
    windows.note_read(name=_NAME, account=account, until=now)
    run.payouts, wrong = _check_payouts(account, start, min(end, now), wait)
    compared = comparing.compare(account=account, since=start, until=min(end, now), books_begin=_books_begin(account))
    run.payments, run.totals = compared.payments, compared.totals
    run.differences = compared.differences + wrong
    run.finish(at=database.now())
    run.save()
    progress(1.0)
    return run


def settle_due(*, accounts: list[Account]) -> int:
    """Settle yesterday for every account for which that has not been done; returns how many were finished."""
    now = database.now()
    yesterday = (now.astimezone(UTC) - LATEST).date() - timedelta(days=1)
    finished = 0
    for account in accounts:
        about = {"provider": account.provider, "account": account.account, "date": yesterday}
        if SettlementRun.objects.filter(**about, status=SettlementStatus.DONE).exists():
            continue
        settle(account=account, day=yesterday)
        finished += 1
    return finished


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
    return windows.unread(name=_NAME, account=account, now=now, first=max(now - end, timedelta()))


def _books_begin(account: Account) -> datetime:
    """Return since when we have read the account's books."""
    runs = SettlementRun.objects.filter(provider=account.provider, account=account.account)
    return bounds(runs.order_by("date").values_list("date", flat=True)[0])[0]


def _check_payouts(account: Account, since: datetime, until: datetime, wait: Wait) -> tuple[int, int]:
    """Compare each payout of a time with the sum of what it is made of; returns how many, and how many are wrong."""
    provider = registry.get(account.provider)
    number = wrong = 0
    payouts = pacing.paced(
        lambda: provider.list_payouts(since=since, until=until, account=account.account),
        provider=account.provider,
        account=account.account,
        wait=wait,
    )
    for payout in payouts:
        if not payout.is_itemized:
            continue
        number += 1
        total = books.read_payout(account=account, payout_ref=payout.ref, wait=wait)
        if total != payout.amount:
            wrong += discrepancies.open_once(
                kind=DiscrepancyKind.AMOUNT,
                account=account,
                subject=payout.ref,
                summary=f"The payout is of {payout.amount} {payout.currency}; what it is made of comes to {total}.",
                difference={"ours": {"net": total}, "theirs": {"amount": payout.amount}},
                seen={"ours": {"net": total}, "theirs": {"amount": payout.amount, "status": payout.status}},
            )
    return number, wrong
