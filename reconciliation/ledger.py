"""Our copy of the provider's ledger: each line stored once, unchanged.

A line that is read anew must be the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from common import ids, loops
from common.errors import SpokenError
from common.loops import Tally
from payments.outcome_types import ProviderEntry
from payments.providers.base import Ledger, Payouts, Provider
from payments.providers.errors import ProviderError, UnsupportedError
from payments.throttle import PausedError
from reconciliation import discrepancies, queries
from reconciliation.accounts import Account
from reconciliation.models import DiscrepancyKind, LedgerEntry
from reconciliation.queries import Wait

BATCH = 500
_FIGURES = ("kind", "category", "amount", "fee", "net", "currency", "moved", "moved_currency")


class IncompleteError(SpokenError):
    """A part of the ledger could not be stored or compared.

    What could be, was.
    """


def read(*, account: Account, since: datetime, until: datetime, wait: Wait) -> Tally:
    """Read the ledger of a time into our copy, in batches.

    A line that cannot be stored stops no other.

    Raises:
        ProviderError, PausedError: The provider cannot be asked.
    """
    lines = queries.read(
        account,
        lambda provider: _books(provider).list_entries(since=since, until=until, account=account.account),
        wait=wait,
    )
    return _store_all(lines, lambda batch: len(store(account=account, lines=batch)))


def has_payout(*, account: Account, ref: str) -> bool:
    """Say whether it is known what a payout is made of."""
    return LedgerEntry.objects.filter(provider=account.provider, account=account.account, payout_ref=ref).exists()


def read_payout(*, account: Account, payout_ref: str, wait: Wait) -> int:
    """Read the lines of a payout; returns their sum in minor units.

    The lines are marked as paid out by it.

    Raises:
        ProviderError, PausedError: The provider cannot be asked.
        IncompleteError: A line could not be stored.
    """
    lines = queries.read(
        account,
        lambda provider: _payouts(provider).list_entries_of_payout(ref=payout_ref, account=account.account),
        wait=wait,
    )
    total = 0

    def add(batch: Sequence[ProviderEntry]) -> None:
        nonlocal total
        total += sum(line.net for line in store(account=account, lines=batch, payout_ref=payout_ref))

    if not _store_all(lines, add).is_complete:
        raise IncompleteError(f"What payout {payout_ref} is made of could not be stored.")
    return total


def _books(provider: Provider) -> Ledger:
    if not isinstance(provider, Ledger):
        raise UnsupportedError(provider=provider.name, what="list its ledger")
    return provider


def _payouts(provider: Provider) -> Payouts:
    if not isinstance(provider, Payouts):
        raise UnsupportedError(provider=provider.name, what="tell what a payout is made of")
    return provider


def _store_all(lines: Iterator[ProviderEntry], work: Callable[[Sequence[ProviderEntry]], int | None]) -> Tally:
    ends = (ProviderError, PausedError)
    run = loops.batches(loops.cut(lines, size=BATCH), work, name="store_books", ends=ends)
    run.reraise(*ends)
    return run


def store(*, account: Account, lines: Sequence[ProviderEntry], payout_ref: str = "") -> Sequence[ProviderEntry]:
    """Store new lines with their payout, and compare known ones.

    Returns all.
    """
    rows = [
        LedgerEntry(
            id=ids.new_id(), provider=account.provider, account=account.account, payout_ref=payout_ref, **asdict(line)
        )
        for line in lines
    ]
    LedgerEntry.objects.bulk_create(rows, ignore_conflicts=True)
    known = LedgerEntry.objects.filter(
        provider=account.provider, account=account.account, ref__in=[line.ref for line in lines]
    )
    if payout_ref:
        known.filter(payout_ref="").update(payout_ref=payout_ref)
    by_ref = {row.ref: row for row in known}
    for line in lines:
        _compare(account, line, by_ref[line.ref])
    return lines


def _compare(account: Account, line: ProviderEntry, ours: LedgerEntry) -> None:
    """Open a discrepancy for a line that adds up to nothing, or that is not what it was."""
    theirs = {name: getattr(line, name) for name in _FIGURES}
    before = {name: getattr(ours, name) for name in _FIGURES}
    if line.amount - line.fee == line.net and theirs == before:
        return
    wrong = "is not what it was when it was read first" if theirs != before else "does not add up: amount - fee ≠ net"
    discrepancies.open_once(
        kind=DiscrepancyKind.AMOUNT,
        account=account,
        subject=line.ref,
        summary=f"A line of the provider's ledger {wrong}.",
        difference={"ours": before, "theirs": theirs},
        seen={"ours": before, "theirs": theirs, "payment_ref": line.payment_ref},
    )
