"""Lists: saved views, times to choose from, a search of everything, and actions on many rows in the background."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from adminkit import large_lists
from adminkit.models import BulkRun, SavedView
from booking import search
from booking.models import Reservation
from catalogue.models import Activity, Slot
from common import ids
from tenants.models import Operator
from tests.support.api import Frontend
from tests.support.desk import list_of, page_of, sign_in
from tests.support.factories import ActivityFactory, OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator() -> Operator:
    return OperatorFactory.create(timezone="America/Sao_Paulo")


def make_slots(operator: Operator, number: int) -> list[Slot]:
    activity = ActivityFactory.create(operator=operator)
    return [SlotFactory.create(activity=activity) for _ in range(number)]


def found(client: Client, model: Any, **query: str) -> set[Any]:
    """Return the keys of what a list shows."""
    return {row.pk for row in client.get(list_of(model), query).context["cl"].result_list}


class TestPeriods:
    def test_a_day_is_of_the_operators_clock(self, operator: Operator) -> None:
        """At 01:00 UTC it is still the day before in São Paulo."""
        activity = ActivityFactory.create(operator=operator)
        late, early = (
            SlotFactory.create(activity=activity, starts_at=datetime(2027, 3, 5, hour, tzinfo=UTC)) for hour in (1, 12)
        )
        client = sign_in(operator=operator)
        assert found(client, Slot, on="2027-03-04") == {late.pk}
        assert found(client, Slot, on="2027-03-05") == {early.pk}
        assert found(client, Slot, on="2027-03") == found(client, Slot, on="2027") == {late.pk, early.pk}
        assert found(client, Slot, on="2028") == set()

    def test_offers_the_years_between_the_first_and_the_last(self, operator: Operator) -> None:
        activity = ActivityFactory.create(operator=operator)
        for year in (2025, 2028):
            SlotFactory.create(activity=activity, starts_at=datetime(year, 6, 1, tzinfo=UTC))
        client = sign_in(operator=operator)
        shown = client.get(list_of(Slot)).context["period_choices"]
        names = [choice["display"] for choice in shown]
        assert names == ["From today on", "All times", "2025", "2026", "2027", "2028"]
        inside = client.get(list_of(Slot), {"on": "2028-02"}).context["period_choices"]
        assert [choice["display"] for choice in inside][:4] == ["From today on", "All times", "2028", "February"]
        assert len(inside) == 4 + 29

    def test_reads_the_time_from_an_id(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        row = Reservation.objects.get()
        client = sign_in(operator=slot.activity.operator)
        day = row.created_at.astimezone(UTC)
        assert found(client, Reservation, on=f"{day:%Y}") == {row.pk}
        assert found(client, Reservation, on=f"{day.year - 1}") == set()

    @pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Sao_Paulo"])
    def test_reaches_to_the_ends_of_what_can_be_written(self, operator: Operator, zone: str, sandbox: Sandbox) -> None:
        """In lists of times and of ids, on either side of Greenwich."""
        Operator.objects.update(timezone=zone)
        activity = ActivityFactory.create(operator=operator)
        first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 22, tzinfo=UTC)
        for at in (first, last):
            SlotFactory.create(activity=activity, starts_at=at, ends_at=at + timedelta(hours=1))
        client = sign_in(operator=operator)
        for on in ("0001", "0001-01-01", "0001-W01", "1969", "1969-12-31", "9999", "9999-12-31", "9999-W51", "all"):
            for model in (Slot, Reservation):
                assert client.get(list_of(model), {"on": on}).status_code == 200, (model, on)
        assert len(client.get(list_of(Slot), {"on": "all"}).context["period_choices"]) == 2 + 30 + 1

    @pytest.mark.parametrize(
        "text", ["x", "2026-00", "2026-W54", "9" * 1_000, "2026-13", "2026-02-30", "0", "99999", "2026-01-01-01", "-1"]
    )
    def test_nonsense_is_told(self, operator: Operator, text: str) -> None:
        assert sign_in(operator=operator).get(list_of(Slot), {"on": text}).status_code == 400


class TestDepartures:
    """Departures open at today, and page to any day, however many there are."""

    @pytest.fixture
    def season(self, operator: Operator) -> list[Slot]:
        """Departures of last year, ten of them today, and many that leave at one moment."""
        names = [f"Kayak {number}" for number in range(75)]
        zone, currency = operator.timezone, operator.currency
        activities = Activity.objects.bulk_create(
            [Activity(operator=operator, name=name, timezone=zone, currency=currency) for name in names]
        )
        now = datetime.now(UTC)
        starts = [(now - timedelta(days=300), activity) for activity in activities[:40]]
        starts += [(now + timedelta(minutes=number), activities[0]) for number in range(10)]
        starts += [(now + timedelta(days=30), activity) for activity in activities]
        rows = [
            Slot(activity=activity, starts_at=at, ends_at=at + timedelta(hours=1), capacity=5)
            for at, activity in starts
        ]
        return sorted(Slot.objects.bulk_create(rows), key=lambda slot: (slot.starts_at, slot.pk))

    def test_open_at_today(self, operator: Operator, season: list[Slot]) -> None:
        client = sign_in(operator=operator)
        page = client.get(list_of(Slot))
        assert [row.pk for row in page.context["cl"].result_list] == [row.pk for row in season[40:65]]
        assert page.context["cl"].result_count == 85
        assert client.get(list_of(Slot), {"on": "all"}).context["cl"].result_count == 125

    def test_a_list_is_paged_to_its_end(
        self, operator: Operator, season: list[Slot], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where many leave at one moment, and beyond what is counted at once."""
        monkeypatch.setattr(large_lists, "MOST", 50)
        client = sign_in(operator=operator)
        seen: list[Any] = []
        for number in range(1, 6):
            page = client.get(list_of(Slot), {"on": "all", "p": str(number)})
            assert page.context["cl"].result_count == {1: 50, 2: 100, 3: 100, 4: 125, 5: 125}[number]
            seen += [row.pk for row in page.context["cl"].result_list]
        assert seen == [row.pk for row in season]

    def test_the_day_before_and_after_are_one_step_away(self, operator: Operator, season: list[Slot]) -> None:
        client = sign_in(operator=operator)
        page = client.get(list_of(Slot), {"on": "2027-03-28", "is_closed__exact": "0", "q": "kayak"})
        assert page.context["period"]["before"]["display"] == "Sat 2027-03-27"
        assert "on=2027-03-29" in page.context["period"]["after"]["query_string"]
        kept = dict(page.context["period"]["kept"])
        assert kept == {"is_closed__exact": "0", "q": "kayak"}
        week = client.get(list_of(Slot), {"on": "2027-W12"})
        assert "on=2027-W13" in week.context["period"]["after"]["query_string"]
        assert [choice["display"] for choice in week.context["period_choices"]][-7:] == [
            "22", "23", "24", "25", "26", "27", "28",
        ]  # fmt: skip

    def test_what_is_chosen_is_done_wherever_it_is_in_time(self, operator: Operator, season: list[Slot]) -> None:
        """One by one from a page that shows it, and all of a list as the list shows them."""
        client = sign_in(operator=operator)
        body = {"action": "close", "_selected_action": str(season[0].pk), "reason": "storm"}
        client.post(list_of(Slot), body)
        assert list(Slot.objects.filter(is_closed=True)) == [season[0]]
        client.post(list_of(Slot), body | {"select_across": "1"})
        assert set(BulkRun.objects.get().rows) == {str(row.pk) for row in season[40:]}


class TestIds:
    def test_bounds_are_those_of_the_clock(self) -> None:
        before = datetime.now(UTC)
        made = ids.new_id()
        assert abs(ids.made_at(made) - before) < timedelta(seconds=1)
        assert ids.first_at(before - timedelta(seconds=1)) < made < ids.first_at(before + timedelta(seconds=1))


class TestSavedViews:
    def save(self, client: Client, **body: str) -> Any:
        return client.post(reverse("admin:catalogue_slot_save_view"), body, follow=True)

    def test_is_found_again_by_its_person_alone(self, operator: Operator) -> None:
        client = sign_in(operator=operator)
        page = self.save(client, name="Closed ones", query="is_closed__exact=1")
        assert [view["name"] for view in page.context["saved_views"]] == ["Closed ones"]
        assert "?is_closed__exact=1" in page.content.decode()
        other = sign_in(operator=None)
        assert other.get(list_of(Slot)).context["saved_views"] == []

    def test_a_name_is_had_once_and_can_be_forgotten(self, operator: Operator) -> None:
        client = sign_in(operator=operator)
        self.save(client, name="Mine", query="on=2026")
        self.save(client, name="Mine", query="on=2027")
        assert SavedView.objects.get().query == "on=2027"
        self.save(client, name="Mine", forget="1")
        assert not SavedView.objects.exists()

    @pytest.mark.parametrize("name", ["", "x" * 61])
    def test_a_name_is_needed(self, operator: Operator, name: str) -> None:
        page = self.save(sign_in(operator=operator), name=name, query="on=2026")
        assert "needs a name" in page.content.decode()
        assert not SavedView.objects.exists()

    def test_there_is_an_end_of_them(self, operator: Operator) -> None:
        page: Any = None
        client = sign_in(operator=operator)
        for number in range(31):
            page = self.save(client, name=f"View {number}", query="on=2026")
        assert "Delete one first." in page.content.decode()
        assert SavedView.objects.count() == 30


class TestSearch:
    @pytest.fixture
    def row(self, sandbox: Sandbox) -> Reservation:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot, customer={"name": "João da Conceição", "email": "jc@praia.example.com"})
        return Reservation.objects.select_related("payment", "operator").get()

    def search(self, client: Client, text: str) -> str:
        return client.get(reverse("admin:search"), {"s": text, "extended": "1"}).content.decode()

    def test_finds_what_a_guest_says(self, row: Reservation) -> None:
        client = sign_in(operator=row.operator)
        for text in (
            row.reference, row.reference.lower(), "joao", "conceicao", "João Conc", "jc@praia.example.com", "praia",
            row.payments[-1].provider_ref, str(row.pk), str(row.payment_id),
        ):  # fmt: skip
            assert page_of(row) in self.search(client, text), text
            assert found(client, Reservation, q=text) == {row.pk}, text
        for text in ("joaquim", "nobody@example.com", str(ids.new_id()), "' OR 1=1 --", ":*", "&|!()<>", "\\'", "%"):
            assert page_of(row) not in self.search(client, text), text
            assert found(client, Reservation, q=text) == set(), text

    def test_finds_payments_by_the_providers_name(self, row: Reservation) -> None:
        assert page_of(row.payment) in self.search(sign_in(operator=row.operator), row.payments[-1].provider_ref)

    def test_finds_nothing_of_others(self, row: Reservation) -> None:
        client = sign_in(operator=OperatorFactory.create())
        for text in (row.reference, "joao", row.payments[-1].provider_ref, str(row.pk)):
            assert str(row.pk) not in self.search(client, text)

    def test_others_do_not_crowd_out_what_is_ones_own(self, row: Reservation, monkeypatch: pytest.MonkeyPatch) -> None:
        """The newest so many are found, and those are the newest of one's own."""
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot, customer={"name": "João Outro", "email": "o@example.com"})
        monkeypatch.setattr(search, "MOST", 1)
        assert page_of(row) in self.search(sign_in(operator=row.operator), "joao")

    def test_finds_pages(self, row: Reservation) -> None:
        assert list_of(Slot) in self.search(sign_in(operator=row.operator), "depart")
        assert self.search(sign_in(operator=None), " ") == ""

    def test_is_for_staff(self) -> None:
        assert Client().get(reverse("admin:search"), {"s": "x"}).status_code == 302
