"""Events whose webhook never came, read from the provider (P3, P4).

They go through the inbox like any other.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from common import database, loops
from payments import throttle
from payments.providers import registry
from payments.providers.base import EventHistory, Provider
from payments.providers.errors import ProviderError, UnsupportedError
from payments.providers.notifications import Notification
from payments.throttle import PausedError
from reconciliation import queries, watermarks
from reconciliation.accounts import Account
from reconciliation.queries import Wait
from webhooks import inbox, proofs
from webhooks.models import Event, EventSource

logger = logging.getLogger("holdfast.reconciliation")

_STEP = timedelta(hours=6)
"""So many events at most are in memory at once."""
_BATCH = 100
_NAME = "events"
_NO_TIME = datetime.min.replace(tzinfo=UTC)
"""Of an event whose time cannot be read: it is kept, and stands in the way of none."""


@dataclass(slots=True)
class Tally:
    """The results of events that were read, and unreadable ones."""

    receipts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """How many were new here."""
        return self.receipts.total()

    def add(self, other: "Tally") -> None:
        """Take over what another has counted."""
        self.receipts += other.receipts
        self.problems += other.problems


def recover_unread(*, accounts: Sequence[Account], wait: Wait = throttle.give_up) -> Tally:
    """Ingest undelivered events since the last time, account by account.

    An account that cannot be asked is told of in the result, and asked again the next time from where it stood. One
    whose provider lists no events is left out.
    """

    def recover(account: Account) -> Tally:
        now, kept = database.now(), kept_for(account)
        since = watermarks.unread(name=_NAME, account=account, now=now, first=kept)
        return _recover(account, since=max(since, now - kept), until=now, wait=wait)

    return _of_each(accounts, recover)


def recover_since(*, accounts: Sequence[Account], since: datetime, wait: Wait = throttle.give_up) -> Tally:
    """Ingest undelivered events since a time, as far back as kept.

    Whatever was read before.
    """

    def recover(account: Account) -> Tally:
        now = database.now()
        return _recover(account, since=max(since, now - kept_for(account)), until=now, wait=wait)

    return _of_each(accounts, recover)


def recover_until(
    *, account: Account, since: datetime, is_enough: Callable[[], bool], wait: Wait = throttle.give_up
) -> Tally:
    """Ingest missing events from a time on, until ``is_enough`` says so.

    Delivered or not.

    For what a look at one payment has found to be lacking: what else is met on the way is taken in too.

    Raises:
        ProviderError, PausedError: The provider cannot be asked.
    """
    tally = Tally()
    until = database.now() + watermarks.OVERLAP
    for start, end in watermarks.slices(since=since - watermarks.OVERLAP, until=until, step=_STEP):
        missing = list_missing(account=account, since=start, until=end, undelivered=False, wait=wait)
        tally.add(_ingest(account, missing))
        if is_enough():
            break
    return tally


def list_missing(
    *, account: Account, since: datetime, until: datetime, undelivered: bool = True, wait: Wait = throttle.give_up
) -> Iterator[Notification]:
    """Read the events of a time that the inbox lacks.

    Changes nothing.

    Raises:
        ProviderError, PausedError: The provider cannot be asked.
    """
    found = queries.read(
        account,
        lambda provider: _history(provider).list_events(
            since=since, until=until, undelivered=undelivered, account=account.account
        ),
        wait=wait,
    )
    for batch in loops.cut(found, size=_BATCH):
        about = {"provider": account.provider, "account": account.account}
        known = Event.objects.filter(**about, event_id__in=[event.event_id for event in batch])
        ids = set(known.values_list("event_id", flat=True))
        yield from (event for event in batch if event.event_id not in ids)


def kept_for(account: Account) -> timedelta:
    """Return how far back an account's events are listed; zero: never."""
    provider = registry.get(account.provider)
    return provider.events_kept if isinstance(provider, EventHistory) else timedelta()


def _history(provider: Provider) -> EventHistory:
    if not isinstance(provider, EventHistory):
        raise UnsupportedError(provider=provider.name, what="list events")
    return provider


def _of_each(accounts: Sequence[Account], recover: Callable[[Account], Tally]) -> Tally:
    tally = Tally()

    def add(account: Account) -> int:
        found = recover(account)
        tally.add(found)
        return found.taken

    listed = [account for account in accounts if kept_for(account)]
    run = loops.each(listed, add, name="recover_events_of_account", label=str)
    tally.problems += [told for told in run.problems if told not in tally.problems]
    return tally


def _recover(account: Account, *, since: datetime, until: datetime, wait: Wait) -> Tally:
    tally = Tally()
    try:
        for start, end in watermarks.slices(since=since, until=until + timedelta(seconds=1), step=_STEP):
            tally.add(_ingest(account, list_missing(account=account, since=start, until=end, wait=wait)))
            if not tally.problems:  # else the mark stays before the first of them
                watermarks.note_read(name=_NAME, account=account, until=min(end, until))
    except (ProviderError, PausedError) as error:
        logger.warning("Missed events cannot be read now.", extra={"account": str(account), "error": str(error)})
        tally.problems.append(f"{account}: {error}")
    return tally


def _ingest(account: Account, events: Iterator[Notification]) -> Tally:
    """Take in the events of a slice, the oldest first; what cannot be stored now is told of, and read again.

    Providers list the newest first, so a slice is read to its end before. What has waited for one of them is applied.

    Raises:
        ProviderError, PausedError: The provider cannot be asked on.
    """
    tally = Tally()

    def ingest(event: Notification) -> bool:
        if event.account != account.account:  # it would prove nothing of the account that it names
            logger.warning("An event of another account was listed.", extra={"account": str(account)})
            return False
        proof = proofs.of_reading(provider=account.provider, notification=event, account=account.account)
        receipt = inbox.ingest(event, EventSource.RECOVERED, provider=account.provider, proof=proof)
        is_new = receipt is not inbox.Receipt.DUPLICATE
        tally.receipts.update([receipt.value] if is_new else [])
        return is_new

    ends = (ProviderError, PausedError)
    with loops.watch() as watched:
        oldest_first = list(events)
    tally.problems += watched.problems
    oldest_first.reverse()
    oldest_first.sort(key=lambda event: event.created_at or _NO_TIME)
    run = loops.each(oldest_first, ingest, name="recover_events", ends=ends, label=lambda event: event.event_id)
    if tally.taken:
        inbox.retry_due()
    tally.problems += run.problems
    run.reraise(*ends)
    return tally
