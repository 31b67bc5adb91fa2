"""What is shown is what can be had: status and places of departures, the search for places, and pages of them."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalogue.models import Activity, Rate, Slot
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.factories import ActivityFactory, OperatorFactory, SlotFactory, make_client
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def leave(slot: Slot) -> None:
    """Let a departure have left a minute ago."""
    SlotFactory.create(activity=slot.activity)
    Slot.objects.filter(pk=slot.pk).update(starts_at=timezone.now() - timedelta(minutes=1))


def close(slot: Slot) -> None:
    """Close it to new reservations."""
    Slot.objects.filter(pk=slot.pk).update(is_closed=True)


def take_prices_away(slot: Slot) -> None:
    """Let its activity cost nothing that can be charged."""
    Rate.objects.filter(activity=slot.activity).exclude(unit="adult").delete()
    Rate.objects.filter(activity=slot.activity).update(amount=0)


def fill(slot: Slot) -> None:
    """Sell all places."""
    Slot.objects.filter(pk=slot.pk).update(capacity=2)
    assert Frontend.of(slot).reserve(slot, adults=2).status_code == 201


def have_the_boat(slot: Slot) -> None:
    """Let a party have the activity for itself, by a departure an hour later."""
    Activity.objects.update(exclusive=True)
    other = SlotFactory.create(activity=slot.activity, starts_at=slot.starts_at + timedelta(hours=1))
    assert Frontend.of(other).reserve(other).status_code == 201


def let_the_boat_go(slot: Slot) -> None:
    """Let the hold of that party run out."""
    have_the_boat(slot)
    run_out(slot.activity.reservations.get().pk)


class TestVerdict:
    @pytest.mark.parametrize(
        ("what", "status", "refusal"),
        [
            (lambda slot: None, "open", ""),
            (leave, "departed", "slot_closed"),
            (close, "closed", "slot_closed"),
            (take_prices_away, "closed", "slot_closed"),
            (fill, "sold_out", "slot_sold_out"),
            (have_the_boat, "sold_out", "slot_sold_out"),
            (let_the_boat_go, "open", ""),
        ],
    )
    def test_is_one_in_the_list_the_search_and_the_sale(
        self, sandbox: Sandbox, what: Any, status: str, refusal: str
    ) -> None:
        slot = SlotFactory.create(capacity=4)
        what(slot)
        frontend, long_ago = Frontend.of(slot), {"from": "2020-01-01T00:00:00Z"}
        shown = frontend.get(f"slots/{slot.pk}").json()
        listed = {row["id"]: row for row in frontend.get("slots", **long_ago).json()["results"]}
        found = [row["id"] for row in frontend.get("slots", places=1, **long_ago).json()["results"]]
        assert shown == listed[str(slot.pk)]
        assert (shown["status"], shown["available"]) == (status, 4 if status == "open" else 0)
        assert (str(slot.pk) in found) is (status == "open")
        answer = frontend.reserve(slot)
        assert (answer.json()["error"]["code"] if answer.status_code != 201 else "") == refusal

    def test_of_an_inactive_activity_there_is_nothing(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(activity__is_active=False)
        frontend = Frontend.of(slot)
        assert frontend.get("slots").json()["results"] == []
        assert [frontend.get(f"slots/{slot.pk}").status_code, frontend.reserve(slot).status_code] == [404, 404]

    def test_a_search_finds_as_many_places_as_can_be_had(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=5)
        frontend = Frontend.of(slot)
        run_out(frontend.reserve(slot, adults=2).json()["reservation"]["id"])
        frontend.reserve(slot, adults=1)
        found = [len(frontend.get("slots", places=places).json()["results"]) for places in (4, 5)]
        assert found == [1, 0]
        assert frontend.reserve(slot, adults=4).status_code == 201


class TestTime:
    def test_from_is_now_unless_it_is_named(self, sandbox: Sandbox) -> None:
        old = SlotFactory.create(starts_at=timezone.now() - timedelta(days=400))
        soon = SlotFactory.create(activity=old.activity, starts_at=timezone.now() + timedelta(minutes=1))
        frontend = Frontend.of(old)

        def listed(**query: str) -> list[str]:
            return [row["id"] for row in frontend.get("slots", **query).json()["results"]]

        assert listed() == [str(soon.pk)]
        assert listed(**{"from": "2020-01-01T00:00:00Z"}) == [str(old.pk), str(soon.pk)]
        assert listed(to=f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}") == []

    @pytest.mark.parametrize("path", ["slots", "reservations", "transactions"])
    @pytest.mark.parametrize(
        ("query", "param"),
        [
            ({"from": "2027-01-02T00:00:00Z", "to": "2027-01-01T00:00:00Z"}, "to"),
            ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
            ({"to": "9999-12-31T23:59:59-12:00"}, "to"),
        ],
    )
    def test_what_is_no_time_to_list_is_refused(self, path: str, query: dict[str, str], param: str) -> None:
        frontend = Frontend(make_client(OperatorFactory.create())[1])
        answer = frontend.get(path, **query)
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)


class TestPages:
    def walk(self, frontend: Frontend, path: str, between: Any = lambda: None, **query: Any) -> list[str]:
        """Follow the links from the first page to the last."""
        page, found = frontend.get(path, **query).json(), []
        while True:
            found += [row.get("id") or row["reservation"]["id"] for row in page["results"]]
            if page["next"] is None:
                return found
            between()
            page = frontend.http.get(page["next"]).json()

    def test_equal_starts_past_a_thousand_end(self, sandbox: Sandbox) -> None:
        operator = OperatorFactory.create()
        at = timezone.now() + timedelta(days=1)
        activities = Activity.objects.bulk_create(
            Activity(operator=operator, name=str(n), timezone="UTC", currency="USD") for n in range(1_203)
        )
        made = Slot.objects.bulk_create(
            Slot(activity=activity, starts_at=at, ends_at=at + timedelta(hours=1), capacity=1)
            for activity in activities
        )
        frontend = Frontend(make_client(operator)[1])
        found = self.walk(frontend, "slots", page_size=100)
        assert found == sorted(str(slot.pk) for slot in made)

    def test_none_is_skipped_when_those_before_sell_out(self, sandbox: Sandbox) -> None:
        first = SlotFactory.create()
        for day in range(1, 6):
            SlotFactory.create(activity=first.activity, starts_at=first.starts_at + timedelta(days=day))
        wanted = [str(pk) for pk in Slot.objects.values_list("pk", flat=True)]

        def sell_out() -> None:
            Slot.objects.filter(pk=first.pk).update(is_closed=True)

        assert self.walk(Frontend.of(first), "slots", sell_out, page_size=2, places=1) == wanted

    def test_pages_go_back_as_they_came(self, sandbox: Sandbox) -> None:
        first = SlotFactory.create()
        for day in range(1, 5):
            SlotFactory.create(activity=first.activity, starts_at=first.starts_at + timedelta(days=day))
        http, page = Frontend.of(first).http, Frontend.of(first).get("slots", page_size=2).json()
        pages = [page]
        while page["next"]:
            page = http.get(page["next"]).json()
            pages.append(page)
        assert [len(each["results"]) for each in pages] == [2, 2, 1]
        assert pages[0]["previous"] is None
        second = http.get(pages[2]["previous"]).json()
        assert second["results"] == pages[1]["results"]
        back = http.get(second["previous"]).json()
        assert (back["results"], back["previous"]) == (pages[0]["results"], None)
        Slot.objects.filter(pk=pages[2]["results"][0]["id"]).delete()
        empty = http.get(pages[1]["next"]).json()
        assert (empty["results"], empty["next"]) == ([], None)
        assert http.get(empty["previous"]).json()["results"] == pages[1]["results"]

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "x",
            "cD14",
            "cD0yMDI3",
            "cD0yMDI3LTAxLTAxJnA9MQ==",
            "bz0xMDAw",
            "/w==",
            "cD0yMDI3LTAxLTAxVDAwOjAwOjAwJnA9eA==",
        ],
    )
    @pytest.mark.parametrize("path", ["slots", "reservations", "resources"])
    def test_a_cursor_that_is_not_ours_is_refused(self, path: str, cursor: str) -> None:
        answer = Frontend(make_client(OperatorFactory.create())[1]).get(path, cursor=cursor)
        assert answer.status_code == 422, answer.content
        assert answer.json()["error"]["param"] == "cursor"


def day_body(activity: Activity, **more: Any) -> dict[str, Any]:
    """Write the body that books a whole activity."""
    return {
        "resource_id": str(activity.pk),
        "customer": {"name": "Rui", "email": "rui@example.com"},
        "payment": {"provider": "stripe", "payment_method_id": "pm_card_visa"},
        **more,
    }


class TestWholeDay:
    @pytest.fixture
    def boat(self, sandbox: Sandbox) -> Activity:
        """A boat for one party, in a place that is ahead of UTC."""
        return ActivityFactory.create(exclusive=True, timezone="Pacific/Auckland", rates={"boat": 68000})

    def test_is_sold_and_shown_with_its_date(self, boat: Activity) -> None:
        frontend = Frontend(make_client(boat.operator)[1])
        made = frontend.post("reservations", day_body(boat, date="2027-04-04")).json()["reservation"]
        assert (made["date"], made["slot_id"], made["places"], made["amount"]) == ("2027-04-04", None, 1, 68000)
        row = boat.reservations.get()
        assert row.ends_at - row.starts_at == timedelta(hours=25), "the clocks are put back on that day"
        assert frontend.get(f"reservations/{made['id']}").json()["reservation"]["date"] == "2027-04-04"

    def test_is_today_there_if_left_out(self, boat: Activity) -> None:
        frontend = Frontend(make_client(boat.operator)[1])
        made = frontend.post("reservations", day_body(boat)).json()["reservation"]
        now = boat.reservations.values_list("created_at", flat=True).get()
        assert made["date"] == f"{(now + timedelta(hours=13)):%Y-%m-%d}"

    @pytest.mark.parametrize(
        ("more", "status", "code", "param"),
        [
            ({"date": "2020-01-01"}, 409, "slot_closed", "date"),
            ({"date": "0001-01-01"}, 409, "slot_closed", "date"),
            ({"date": "9999-12-31"}, 422, "out_of_range", "date"),
            ({"date": "2027-02-29"}, 422, "invalid", "date"),
            ({"date": "2027-1-1"}, 422, "invalid", "date"),
            ({"date": "20270101"}, 422, "invalid", "date"),
            ({"date": "2027-01-01T00:00:00Z"}, 422, "invalid", "date"),
            ({"date": 20270101}, 422, "invalid", "date"),
            ({"date": None}, 422, "required", "date"),
            ({"resource_id": str(uuid.uuid4())}, 404, "not_found", None),
        ],
    )
    def test_is_refused_and_nothing_is_kept(
        self, boat: Activity, more: dict[str, Any], status: int, code: str, param: str | None
    ) -> None:
        answer = Frontend(make_client(boat.operator)[1]).post("reservations", day_body(boat, **more))
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
        assert not boat.reservations.exists()

    def test_is_not_of_a_slot_nor_of_what_is_shared_nor_of_two_prices(self, boat: Activity) -> None:
        slot = SlotFactory.create(activity__operator=boat.operator)
        frontend = Frontend.of(slot)
        answers = [
            frontend.reserve(slot, date="2027-04-04"),
            frontend.post("reservations", day_body(slot.activity)),
            frontend.post("reservations", day_body(ActivityFactory.create(operator=boat.operator, exclusive=True))),
        ]
        told = [(answer.status_code, answer.json()["error"]["param"]) for answer in answers]
        assert told == [(422, "date"), (422, "slot_id"), (422, "units")]
