"""Departures from a weekly rule: at the same local time on both sides of a change of the clocks, and each once."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from catalogue import departures
from catalogue.departures import Rule
from catalogue.errors import TooManyDeparturesError
from catalogue.models import Activity, Slot
from tests.support.desk import sign_in
from tests.support.factories import ActivityFactory, SlotFactory
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


def rule(**changes: Any) -> Rule:
    """Every Saturday and Sunday at nine of the last two weekends of March 2027, when summer time begins."""
    given: dict[str, Any] = {
        "weekdays": {5, 6}, "times": [time(9)], "first": date(2027, 3, 20), "last": date(2027, 3, 28),
        "duration": timedelta(hours=2), "capacity": 8,
    }  # fmt: skip
    return Rule(**given | changes)


@pytest.fixture
def activity() -> Activity:
    """An activity in Lisbon."""
    return ActivityFactory.create(timezone="Europe/Lisbon")


def generate(*, activity_id: UUID, rule: Rule) -> int:
    """Make the departures of a rule, as somebody who says why."""
    return departures.generate(activity_id=activity_id, rule=rule, actor="user:marta", reason="the season")


def starts() -> list[str]:
    """Return when departures start, in UTC."""
    return [f"{start.astimezone(UTC):%m-%d %H:%M}" for start in Slot.objects.values_list("starts_at", flat=True)]


class TestGenerate:
    def test_the_local_time_stays_when_the_clocks_change(self, activity: Activity) -> None:
        assert generate(activity_id=activity.pk, rule=rule()) == 4
        assert starts() == ["03-20 09:00", "03-21 09:00", "03-27 09:00", "03-28 08:00"]
        slot = Slot.objects.latest("starts_at")
        assert (slot.ends_at - slot.starts_at, slot.capacity) == (timedelta(hours=2), 8)

    def test_a_time_that_the_clocks_skip_is_an_hour_later(self, activity: Activity) -> None:
        generate(activity_id=activity.pk, rule=rule(times=[time(1, 30)], first=date(2027, 3, 28)))
        assert starts() == ["03-28 01:30"], "01:30 does not exist on that day: it is 02:30 in Lisbon"

    def test_a_time_that_comes_twice_is_the_first(self, activity: Activity) -> None:
        again = rule(times=[time(1, 30)], first=date(2027, 10, 31), last=date(2027, 10, 31))
        generate(activity_id=activity.pk, rule=again)
        assert starts() == ["10-31 00:30"]

    def test_two_times_that_are_one_moment_make_one_departure(self) -> None:
        """On 28 March 2027 Madrid has no 02:30: it is 03:30."""
        madrid = ActivityFactory.create(timezone="Europe/Madrid")
        both = rule(times=[time(2, 30), time(3, 30), time(3, 30)])
        assert generate(activity_id=madrid.pk, rule=both) == 7
        assert departures.number_named(both) == 8
        assert starts()[-3:] == ["03-27 01:30", "03-27 02:30", "03-28 01:30"]

    def test_the_database_has_one_departure_of_an_activity_at_a_time(self, activity: Activity) -> None:
        slot = SlotFactory.create(activity=activity)
        SlotFactory.create(starts_at=slot.starts_at)
        with pytest.raises(IntegrityError, match="slot_once_at_a_time"):
            SlotFactory.create(activity=activity, starts_at=slot.starts_at)

    def test_what_is_there_is_left_as_it_is(self, activity: Activity) -> None:
        generate(activity_id=activity.pk, rule=rule())
        Slot.objects.update(capacity=3)
        assert generate(activity_id=activity.pk, rule=rule(times=[time(9), time(14)])) == 4
        assert sorted(Slot.objects.values_list("capacity", flat=True)) == [3, 3, 3, 3, 8, 8, 8, 8]

    def test_two_at_once_make_each_once(self, activity: Activity) -> None:
        made = race([lambda: generate(activity_id=activity.pk, rule=rule())] * 4)
        assert sum(made) == Slot.objects.count() == 4

    def test_not_more_than_can_be_made_at_once(self, activity: Activity) -> None:
        times = [time(hour, minute) for hour in range(24) for minute in range(0, 60, 5)]
        with pytest.raises(TooManyDeparturesError):
            generate(activity_id=activity.pk, rule=rule(times=times, last=date(2027, 12, 31)))
        assert not Slot.objects.exists()


class TestBackoffice:
    def act(self, client: Client, activity: Activity, **changes: Any) -> str:
        """Fill the form in."""
        body: dict[str, Any] = {
            "action": "generate", "_selected_action": str(activity.pk), "reason": "the season", "weekdays": ["5", "6"],
            "times": "09:00, 14:30", "first": "2027-03-20", "last": "2027-03-28", "duration": "120", "capacity": "8",
        }  # fmt: skip
        path = reverse("admin:catalogue_activity_changelist")
        return client.post(path, body | changes, follow=True).content.decode()

    def test_makes_them(self, activity: Activity) -> None:
        assert "8 departures made." in self.act(sign_in(operator=activity.operator), activity)
        assert Slot.objects.count() == 8

    def test_says_how_many_are_left_out(self, activity: Activity) -> None:
        generate(activity_id=activity.pk, rule=rule())
        self.act(sign_in(operator=activity.operator), activity)
        (entry,) = LogEntry.objects.all()
        assert "4 departures made." in entry.change_message
        assert "4 left out: the activity already has a departure then." in entry.change_message

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"times": "nine"}, "Write local times as 09:00"),
            ({"times": "09:00Z"}, "Write local times as 09:00"),
            ({"times": "09:00, 10:00+02:00"}, "Write local times as 09:00"),
            ({"times": "T09"}, "Write local times as 09:00"),
            ({"times": "24:00"}, "Write local times as 09:00"),
            ({"times": ","}, "Write local times as 09:00"),
            ({"first": "0001-01-01", "last": "0001-01-07"}, "between the years 2000 and 2100"),
            ({"first": "9999-12-25", "last": "9999-12-31"}, "between the years 2000 and 2100"),
            ({"last": "2027-01-01"}, "The last day must not be before the first"),
            ({"last": "2037-01-01"}, "more than two years"),
            ({"weekdays": ["9"]}, "Select a valid choice"),
            ({"capacity": "0"}, "greater than or equal to 1"),
            ({"duration": ""}, "This field is required"),
        ],
    )
    def test_tells_what_is_wrong(self, activity: Activity, changes: dict[str, Any], told: str) -> None:
        assert told in self.act(sign_in(operator=activity.operator), activity, **changes)
        assert not Slot.objects.exists()


def test_a_departure_is_at_its_time() -> None:
    activity = ActivityFactory.create(timezone="America/Sao_Paulo")
    generate(activity_id=activity.pk, rule=rule(first=date(2027, 3, 20), last=date(2027, 3, 20)))
    assert Slot.objects.get().starts_at == datetime(2027, 3, 20, 12, tzinfo=UTC)
