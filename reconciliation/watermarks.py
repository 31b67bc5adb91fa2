"""Reads of a provider's lists in slices of time, each remembered.

A run that is stopped goes on from there.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F, Value
from django.db.models.functions import Greatest

from reconciliation.accounts import Account
from reconciliation.models import Watermark

OVERLAP = timedelta(minutes=15)
"""Read again before the mark: a provider's lists and clocks may lag a little behind its events."""


def slices(*, since: datetime, until: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Cut a time into slices, the earliest first."""
    while since < until:
        end = min(since + step, until)
        yield since, end
        since = end


def unread(*, name: str, account: Account, now: datetime, first: timedelta) -> datetime:
    """Return from when to read a list: just before its watermark.

    ``first`` ago if there is none.
    """
    mark = Watermark.objects.filter(name=name, provider=account.provider, account=account.account).first()
    return now - first if mark is None else mark.read_until - OVERLAP


def note_read(*, name: str, account: Account, until: datetime) -> None:
    """Remember how far a list is read; the furthest reader counts."""
    mark, made = Watermark.objects.get_or_create(
        name=name, provider=account.provider, account=account.account, defaults={"read_until": until}
    )
    if not made:
        rows = Watermark.objects.filter(pk=mark.pk)
        rows.update(read_until=Greatest(F("read_until"), Value(until)))
