"""Departures from a weekly rule, at the same local time all year."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from catalogue import locks
from catalogue.errors import TooManyDeparturesError
from catalogue.models import Slot
from common import database

MOST = 5_000
"""Departures that one rule may make at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Weekdays (Monday is 0), local times, and first and last day inclusive."""

    weekdays: Collection[int]
    times: Sequence[time]
    first: date
    last: date
    duration: timedelta
    capacity: int


def generate(*, activity_id: UUID, rule: Rule, actor: str, reason: str) -> int:
    """Create the missing departures of a rule; returns how many.

    Must be called outside a transaction.

    An activity has one departure at a time, by hand or by rule: existing ones are left as they are.

    Raises:
        TooManyDeparturesError: The rule is of more than ``MOST``.
    """
    with database.use_case():
        database.name_actor(actor, reason)
        activity = locks.get_activity_for_update(activity_id=activity_id)
        made = [
            Slot(activity=activity, starts_at=start, ends_at=start + rule.duration, capacity=rule.capacity)
            for start in _starts(rule, ZoneInfo(activity.timezone))
        ]
        Slot.objects.bulk_create(made, batch_size=1_000, ignore_conflicts=True)
        return Slot.objects.filter(pk__in=[slot.pk for slot in made]).count()


def number_named(rule: Rule) -> int:
    """Count the local times of a rule: each time on each day.

    Raises:
        TooManyDeparturesError: They are more than ``MOST``.
    """
    number = sum(day.weekday() in rule.weekdays for day in _days(rule)) * len(set(rule.times))
    if number > MOST:
        raise TooManyDeparturesError(most=MOST)
    return number


def _starts(rule: Rule, zone: ZoneInfo) -> list[datetime]:
    """List the starts in UTC, each once: when clocks go forward, two local times may be one moment.

    A time that the clocks skip is an hour later; of one that comes twice, the first one.
    """
    number_named(rule)
    local = (
        datetime.combine(day, at, zone)
        for day in _days(rule)
        if day.weekday() in rule.weekdays
        for at in sorted(set(rule.times))
    )
    return list(dict.fromkeys(at.astimezone(UTC) for at in local))


def _days(rule: Rule) -> Iterator[date]:
    return (rule.first + timedelta(days=number) for number in range((rule.last - rule.first).days + 1))
