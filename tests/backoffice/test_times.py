"""Times are typed and shown by the clock of the activity or the operator, in one form, and never by two in a row."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib import admin
from django.db.models import DateTimeField
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from booking.models import Reservation
from catalogue.models import Activity, Slot
from payments.models import Command
from sweeps import registry
from tenants import clocks
from tenants.models import Operator, Role
from tests.support.api import Frontend
from tests.support.desk import list_of, page_of, sign_in, text_of
from tests.support.factories import ActivityFactory, OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

SAO_PAULO = "America/Sao_Paulo"


@pytest.fixture
def activity() -> Activity:
    operator = OperatorFactory.create(timezone="Europe/Madrid")
    return ActivityFactory.create(operator=operator, timezone="Europe/Madrid")


@pytest.fixture
def client(activity: Activity) -> Client:
    return sign_in(operator=activity.operator, role=Role.OWNER)


def typed(activity: Activity, starts: str, ends: str, **more: str) -> dict[str, str]:
    """Write the form of a departure as a person does."""
    (day, at), (end_day, end_at) = starts.split(" ", 1), ends.split(" ", 1)
    body = {"starts_at_0": day, "starts_at_1": at, "ends_at_0": end_day, "ends_at_1": end_at}
    return {"activity": str(activity.pk), "capacity": "5"} | body | more


def add(client: Client, body: dict[str, str]) -> Any:
    return client.post(reverse("admin:catalogue_slot_add"), body)


class TestTyping:
    def test_a_time_is_the_activitys(self, client: Client, activity: Activity) -> None:
        assert add(client, typed(activity, "2027-07-01 09:00", "2027-07-01 11:30")).status_code == 302
        slot = Slot.objects.get()
        assert slot.starts_at == datetime(2027, 7, 1, 7, tzinfo=UTC)
        assert slot.ends_at == datetime(2027, 7, 1, 9, 30, tzinfo=UTC)

    def test_of_an_activity_elsewhere_it_is_its_own(self, client: Client, activity: Activity) -> None:
        Activity.objects.update(timezone=SAO_PAULO)
        add(client, typed(activity, "2027-07-01 09:00", "2027-07-01 11:30"))
        slot = Slot.objects.get()
        assert slot.starts_at == datetime(2027, 7, 1, 12, tzinfo=UTC)
        page = client.get(page_of(slot)).content.decode()
        assert 'value="09:00"' in page
        assert f"By the clock of {SAO_PAULO}" in page
        assert f"Thu 2027-07-01 09:00 ({SAO_PAULO})" in client.get(list_of(Slot), {"on": "all"}).content.decode()

    @pytest.mark.parametrize(
        ("at", "told"),
        [
            ("2027-03-28 02:30", "2027-03-28 02:30 does not exist in Europe/Madrid: the clocks are put forward over"),
            (
                "2027-10-31 02:30",
                "comes twice in Europe/Madrid: the clocks are put back. Write 02:30 UTC+02:00 for the",
            ),
            ("2027-10-31 02:30 UTC+05:00", "Europe/Madrid has another offset from UTC at 2027-10-31 02:30."),
            ("2027-07-01 9 o'clock", "Write a time as 09:00."),
            ("2027-07-01 25:00", "Write a time as 09:00."),
            ("0001-01-01 00:00", "This time is out of range."),
        ],
    )
    def test_what_is_no_time_there_is_told(self, client: Client, activity: Activity, at: str, told: str) -> None:
        answer = add(client, typed(activity, at, "2027-12-31 11:00"))
        assert answer.status_code == 200
        assert told in answer.content.decode().replace("&#x27;", "'")
        assert not Slot.objects.exists()

    def test_it_does_not_end_before_it_starts(self, client: Client, activity: Activity) -> None:
        answer = add(client, typed(activity, "2027-07-01 09:00", "2027-07-01 09:00"))
        assert "The departure ends before it starts." in answer.content.decode()

    @pytest.mark.parametrize(("offset", "hour"), [("+02:00", 0), ("+01:00", 1)])
    def test_of_an_hour_that_comes_twice_each_can_be_typed(
        self, client: Client, activity: Activity, offset: str, hour: int
    ) -> None:
        """And it stays what it is while something else of it is changed."""
        add(client, typed(activity, f"2027-10-31 02:30 UTC{offset}", "2027-10-31 06:00"))
        slot = Slot.objects.get()
        assert slot.starts_at == datetime(2027, 10, 31, hour, 30, tzinfo=UTC)
        page = client.get(page_of(slot)).content.decode()
        shown = re.findall(r'name="(\w+_at_\d)" value="([^"]*)"', page)
        body = {"activity": str(activity.pk), "capacity": "9", **dict(shown)}
        assert client.post(page_of(slot), body).status_code == 302
        before = slot.starts_at
        slot.refresh_from_db()
        assert (slot.capacity, slot.starts_at) == (9, before)

    def test_a_departure_that_goes_to_another_clock_keeps_what_was_typed(
        self, client: Client, activity: Activity
    ) -> None:
        elsewhere = ActivityFactory.create(operator=activity.operator, timezone=SAO_PAULO)
        add(client, typed(activity, "2027-07-01 09:00", "2027-07-01 11:30"))
        slot = Slot.objects.get()
        assert client.post(page_of(slot), typed(elsewhere, "2027-07-01 09:00", "2027-07-01 11:30")).status_code == 302
        slot.refresh_from_db()
        assert (slot.activity, slot.starts_at.hour) == (elsewhere, 12)

    def test_seconds_of_a_departure_are_not_lost_by_an_edit(self, client: Client, activity: Activity) -> None:
        at = datetime(2027, 7, 1, 7, 0, 25, 500, tzinfo=UTC)
        slot = SlotFactory.create(activity=activity, starts_at=at)
        body = typed(activity, "2027-07-01 09:00:25", "2027-07-01 11:00:25", capacity="9")
        assert client.post(page_of(slot), body).status_code == 302
        slot.refresh_from_db()
        assert (slot.capacity, slot.starts_at) == (9, at)


class TestShowing:
    def test_every_time_of_a_page_is_by_one_clock(self, sandbox: Sandbox, activity: Activity) -> None:
        """Every list and page, by introspection: no time stands there as UTC, for an operator far from it."""
        Operator.objects.update(timezone=SAO_PAULO)
        Activity.objects.update(timezone=SAO_PAULO)
        slot = SlotFactory.create(activity=activity)
        Frontend.of(slot).reserve(slot, capture_method="automatic")
        registry.run("send_mails")
        client = sign_in(operator=Operator.objects.get(), role=Role.OWNER)
        tried = 0
        for model, page in admin.site._registry.items():
            row = model._default_manager.first()
            if row is None or not page.has_view_permission(request_of(client)):
                continue
            for path in (f"{list_of(model)}", page_of(row)):
                shown = text_of(client.get(path, {"on": "all"} if model is Slot else {}))
                for field in (field for field in model._meta.concrete_fields if isinstance(field, DateTimeField)):
                    at = getattr(row, field.name)
                    if at is not None:
                        tried += f"{at.astimezone(ZoneInfo(SAO_PAULO)):%H:%M}" in shown
                        assert not re.search(rf"{at:%Y-%m-%d} {at:%H:%M}|{at:%-I:%M} [ap]\.m\.", shown), (path, field)
        assert tried >= 12

    def test_a_superuser_sees_the_clock_of_the_row_named(self, sandbox: Sandbox, activity: Activity) -> None:
        slot = SlotFactory.create(activity=activity)
        Frontend.of(slot).reserve(slot)
        command = Command.objects.get()
        page = sign_in(operator=None).get(list_of(Command)).content.decode()
        assert clocks.written(command.created_at, "Europe/Madrid") + " (Europe/Madrid)" in page

    def test_an_hour_that_comes_twice_is_told_apart(self, client: Client, activity: Activity) -> None:
        for hour, name in ((0, "CEST"), (1, "CET")):
            SlotFactory.create(activity=activity, starts_at=datetime(2027, 10, 31, hour, 30, tzinfo=UTC))
            assert f"Sun 2027-10-31 02:30 {name}" in client.get(list_of(Slot), {"on": "all"}).content.decode()

    def test_the_clock_is_put_back_after_each_page(self, client: Client) -> None:
        client.get(list_of(Slot))
        assert timezone.get_current_timezone_name() == "UTC"

    def test_what_an_action_says_is_by_the_clock_of_the_activity(
        self, client: Client, activity: Activity, sandbox: Sandbox
    ) -> None:
        slot = SlotFactory.create(activity=activity)
        Frontend.of(slot).reserve(slot)
        row = Reservation.objects.get()
        assert row.expires_at is not None
        body = {"action": "extend", "_selected_action": str(row.pk), "reason": "late", "minutes": "10"}
        page = client.post(list_of(Reservation), body, follow=True).content.decode()
        until = clocks.written(row.expires_at + timedelta(minutes=10), "Europe/Madrid")
        assert f"The hold of Ana Souza lasts until {until}." in page
        assert f"(the hold lasts until {until}" in client.get(page_of(row)).content.decode()


def request_of(client: Client) -> Any:
    """Return a request of the person who is signed in."""
    return client.get(reverse("admin:index")).wsgi_request
