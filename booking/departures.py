"""Departures from a weekly rule: at the same local time all year, whatever the clocks of the place do."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from booking import locks
from booking.errors import TooManyDeparturesError
from booking.models import Slot
from common import database

MOST = 5_000
"""Departures that one rule may make at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """On which weekdays (Monday is 0) at which local times, from the first to the last day, both included."""

    weekdays: Collection[int]
    times: Sequence[time]
    first: date
    last: date
    duration: timedelta
    capacity: int


def generate(*, resource_id: UUID, rule: Rule) -> int:
    """Make the departures of a rule that are not there yet, and return how many. Must be called outside a transaction.

    The resource is locked, so that two who do it at once make each departure once.

    Raises:
        TooManyDeparturesError: The rule is of more than ``MOST``.
    """
    with database.use_case():
        resource = locks.get_resource_for_update(resource_id=resource_id)
        wanted = list(_starts(rule, ZoneInfo(resource.timezone)))
        if len(wanted) > MOST:
            raise TooManyDeparturesError(most=MOST)
        there = set(Slot.objects.filter(resource=resource, starts_at__in=wanted).values_list("starts_at", flat=True))
        made = [
            Slot(resource=resource, starts_at=start, ends_at=start + rule.duration, capacity=rule.capacity)
            for start in wanted
            if start not in there
        ]
        Slot.objects.bulk_create(made, batch_size=1_000)
    return len(made)


def _starts(rule: Rule, zone: ZoneInfo) -> Iterator[datetime]:
    """Tell the starts in UTC. A time that the clocks skip is an hour later; of one that comes twice, the first one."""
    days = (rule.first + timedelta(days=number) for number in range((rule.last - rule.first).days + 1))
    for day in days:
        if day.weekday() in rule.weekdays:
            for at in dict.fromkeys(sorted(rule.times)):
                yield datetime.combine(day, at, zone).astimezone(UTC)
