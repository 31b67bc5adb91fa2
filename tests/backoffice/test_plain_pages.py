"""What the pages of the desk say is plain and true."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from booking.models import Reservation
from catalogue import slots
from catalogue.models import Slot
from payments.models import Command, Payment
from reconciliation.models import Discrepancy
from sweeps.models import SweepRun
from sweeps.registry import SWEEPS
from tenants.models import Role, User
from tests.support.api import Frontend
from tests.support.desk import act, list_of, page_of, sign_in
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot(sandbox: Sandbox) -> Slot:
    return SlotFactory.create()


@pytest.fixture
def owner(slot: Slot) -> Client:
    return sign_in(operator=slot.activity.operator, role=Role.OWNER)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode().split("<body")[1]))


def options(answer: Any, name: str) -> list[tuple[str, bool]]:
    """List the choices of a field, each with whether it is the one that stands there."""
    field = re.search(rf'<select name="{name}".*?</select>', answer.content.decode(), re.DOTALL)
    assert field is not None
    found = re.findall(r"<option ([^>]*)>\s*([^<]*?)\s*</option>", field[0])
    return [(text, "selected" in attributes) for attributes, text in found]


class TestPeople:
    def test_a_colleague_is_no_owner_unless_it_is_said(self, owner: Client) -> None:
        page = owner.get(reverse("admin:tenants_user_add"))
        assert [text for text, chosen in options(page, "role") if chosen] == ["Agent"]
        assert "be able to edit more user options" not in page.content.decode()

    def test_the_role_that_a_colleague_has_stands_first(self, owner: Client, slot: Slot) -> None:
        person = User.objects.create_user("ana@kayaks", password="x", is_staff=True)
        person.memberships.create(operator=slot.activity.operator, role=Role.READ_ONLY)
        asked = act(owner, person, "change_role", None)
        assert [text for text, chosen in options(asked, "role") if chosen] == ["Read-only"]
        page = owner.get(page_of(person)).content.decode()
        assert "150 characters or fewer" not in page
        assert "Ana@kayaks" not in page, "the name is written as it is typed to sign in"


class TestMove:
    def test_each_departure_says_whether_it_can_be_had(self, owner: Client, slot: Slot) -> None:
        years = [slot.starts_at.replace(year=slot.starts_at.year + number) for number in range(1, 5)]
        later = [
            SlotFactory.create(activity=slot.activity, starts_at=starts, capacity=capacity)
            for starts, capacity in zip(years, (1, 1, 4, 4), strict=True)
        ]
        held = Frontend.of(slot).reserve(slot).json()["reservation"]["id"]
        Frontend.of(slot).reserve(later[0])
        slots.close(slot_id=later[3].pk, actor="user:x", reason="wind")
        offered = options(act(owner, Reservation.objects.get(pk=held), "move", None), "slot_id")
        assert [text.partition(" · ")[2] for text, _ in offered] == [
            "4 places free", "sold out", "1 place free", "4 places free",
        ]  # fmt: skip
        slot.activity.rates.all().delete()
        offered = options(act(owner, Reservation.objects.get(pk=held), "move", None), "slot_id")
        assert {text.partition(" · ")[2] for text, _ in offered} == {"closed"}


class TestReservation:
    def test_says_until_when_it_is_held_while_it_is(self, owner: Client, slot: Slot, sandbox: Sandbox) -> None:
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]["id"]
        held = Reservation.objects.get(pk=made)
        assert re.search(r"Hold ends \(local\) [A-Z][a-z]{2} \d{4}", text_of(owner.get(page_of(held))))
        asked = text_of(act(owner, held, "extend", None))
        assert f"{held.reference} · Pending · {held.customer_name} · Kayak tour" in asked
        body = {"action": "extend", "_selected_action": made, "reason": "late bus", "minutes": "20"}
        owner.post(list_of(Reservation), body)
        assert "pending, and its hold lives longer" in text_of(owner.get(page_of(held)))
        frontend.post(f"reservations/{made}/cancel")
        assert "Hold ends (local) —" in text_of(owner.get(page_of(held)))


class TestLists:
    def test_an_empty_one_says_so(self, owner: Client) -> None:
        assert "There is nothing here yet." in text_of(owner.get(list_of(Discrepancy)))
        filtered = text_of(owner.get(f"{list_of(Discrepancy)}?status__exact=open"))
        assert "Nothing here fits the search and the filters. Show all" in filtered

    def test_all_of_them_are_not_offered_again(self, owner: Client, slot: Slot) -> None:
        assert "Show all" not in text_of(owner.get(list_of(Slot)))
        assert "1 result ( Show all )" in text_of(owner.get(f"{list_of(Slot)}?is_closed__exact=0"))

    def test_a_payment_that_is_well_shows_no_alarm(self, owner: Client, slot: Slot) -> None:
        Frontend.of(slot).reserve(slot)
        assert "hf-bad" not in owner.get(list_of(Payment)).content.decode()
        Payment.objects.update(stuck_at=timezone.now(), stuck_because="no answer")
        assert '<span class="hf-status hf-bad">stuck</span>' in owner.get(list_of(Payment)).content.decode()

    def test_what_is_done_is_not_offered_again(self, owner: Client, slot: Slot) -> None:
        Frontend.of(slot).reserve(slot)
        page = text_of(owner.get(page_of(Command.objects.get())))
        assert "Try again" not in page


class TestDashboard:
    def test_each_check_is_named_and_says_what_is_wrong(self, owner: Client) -> None:
        now = timezone.now()
        SweepRun.objects.bulk_create(
            [SweepRun(name=name, started_at=now, finished_at=now, handled=0) for name in SWEEPS],
            update_conflicts=True, unique_fields=["name"], update_fields=["started_at", "finished_at", "handled"],
        )  # fmt: skip
        text = text_of(owner.get(reverse("admin:index")))
        assert "Worker well Sweeps well Promises well Providers well" in text
        SweepRun.objects.filter(name="verify").update(handled=2)
        text = text_of(owner.get(reverse("admin:index")))
        assert "Promises 2 broken" in text
