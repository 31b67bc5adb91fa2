"""Capacity, closing and prices have a history, by any way of writing, that nobody can rewrite (P11)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from catalogue import departures, slots
from catalogue.departures import Rule
from catalogue.models import Activity, Rate, Slot
from catalogue.offer_history import OfferHistory
from common import database
from tests.support import services
from tests.support.api import Frontend
from tests.support.database import EMPTYING
from tests.support.desk import act, page_of, sign_in
from tests.support.factories import ActivityFactory, SlotFactory
from tests.support.pooling import IS_LED, led_through, set_time_outs
from tests.support.sandbox_client import Sandbox
from tools.demo import data

pytestmark = pytest.mark.django_db(transaction=True)

STAFF = "user:person-of-coast"
DATABASE = "database:holdfast"
DESK = "edited at the desk"


@pytest.fixture
def slot() -> Slot:
    """A departure with five places, on 1 June 2027 at 09:00 in Lisbon; what made it is read away."""
    made: Slot = SlotFactory.create(
        activity__operator__slug="coast", starts_at=datetime(2027, 6, 1, 8, tzinfo=UTC), capacity=5
    )
    made.seen = newest()  # type: ignore[attr-defined]
    return made


@pytest.fixture
def desk(slot: Slot) -> Client:
    """Somebody of its operator's staff."""
    return sign_in(operator=slot.activity.operator)


def newest() -> int:
    return OfferHistory.objects.order_by("-id").values_list("pk", flat=True)[0]


def since(slot: Slot) -> list[tuple[Any, ...]]:
    """Return what changed since the departure was made: what, before, after, who, why."""
    rows = OfferHistory.objects.filter(pk__gt=slot.seen).order_by("id")  # type: ignore[attr-defined]
    assert {(row.operator_id, row.activity_id) for row in rows} <= {(slot.activity.operator_id, slot.activity_id)}
    return [(row.what, row.before, row.after, row.actor, row.reason) for row in rows]


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def by_orm(slot: Slot) -> None:
    slot.capacity, slot.is_closed = 10, True
    slot.save()


def by_update(slot: Slot) -> None:
    Slot.objects.update(capacity=10, is_closed=True)


def by_bulk_update(slot: Slot) -> None:
    slot.capacity, slot.is_closed = 10, True
    Slot.objects.bulk_update([slot], ["capacity", "is_closed"])


def by_raw_sql(slot: Slot) -> None:
    sql("UPDATE catalogue_slot SET is_closed = NOT is_closed, capacity = 2 * capacity WHERE id = %s", slot.pk)


def by_upsert(slot: Slot) -> None:
    slot.capacity, slot.is_closed = 10, True
    Slot.objects.bulk_create(
        [slot], update_conflicts=True, update_fields=["capacity", "is_closed"], unique_fields=["id"]
    )


class TestDeparture:
    @pytest.mark.parametrize("write", [by_orm, by_update, by_bulk_update, by_raw_sql, by_upsert])
    def test_by_any_way_of_writing(self, slot: Slot, write: Callable[[Slot], None]) -> None:
        write(slot)
        assert since(slot) == [("capacity", 5, 10, DATABASE, ""), ("is_closed", False, True, DATABASE, "")]
        assert {row.slot_id for row in OfferHistory.objects.filter(what__in=("capacity", "is_closed"))} == {slot.pk}

    def test_at_the_desk(self, slot: Slot, desk: Client) -> None:
        page = page_of(slot)
        form = {"activity": str(slot.activity_id), "starts_at_0": "2027-06-01", "starts_at_1": "09:00",
                "ends_at_0": "2027-06-01", "ends_at_1": "11:00"}  # fmt: skip
        assert desk.post(page, form | {"capacity": "12"}).status_code == 302
        assert desk.post(page, form | {"capacity": "12"}).status_code == 302, "and the same again"
        assert desk.post(page, form | {"capacity": "x"}).status_code == 200
        act(desk, slot, "close", "wind")
        act(desk, slot, "reopen", "calm")
        assert since(slot) == [
            ("capacity", 5, 12, STAFF, DESK),
            ("is_closed", False, True, STAFF, "wind"),
            ("is_closed", True, False, STAFF, "calm"),
        ]
        told = desk.get(page).content.decode()
        for sentence in ("Capacity 5 → 12", "Closed to new reservations", "Opened again"):
            assert f"<td>{sentence}</td><td>{STAFF}</td>" in told

    def test_what_is_rolled_back_did_not_happen(self, slot: Slot) -> None:
        with transaction.atomic():
            by_orm(slot)
            transaction.set_rollback(True)
        assert since(slot) == []

    def test_a_sale_is_no_change_of_what_is_offered(self, slot: Slot, sandbox: Sandbox) -> None:
        made = Frontend.of(slot).reserve(slot).json()["reservation"]["id"]
        Frontend.of(slot).post(f"reservations/{made}/cancel")
        assert since(slot) == []
        with connection.cursor() as cursor:
            cursor.execute(
                "EXPLAIN (ANALYZE, FORMAT JSON) UPDATE catalogue_slot SET reserved = reserved + 0, sold_at = sold_at"
            )
            ((plan,),) = cursor.fetchall()
        asked = {found["Trigger Name"] for found in plan[0]["Triggers"]}
        assert not {name for name in asked if "history" in name}

    def test_outlives_what_it_tells_of(self, slot: Slot) -> None:
        Slot.objects.update(capacity=6)
        Slot.objects.all().delete()
        gone = {"starts_at": "2027-06-01T08:00:00+00:00", "capacity": 6}
        assert since(slot) == [("capacity", 5, 6, DATABASE, ""), ("departure", gone, None, DATABASE, "")]
        assert (
            OfferHistory.objects.latest("id")
            .told("Europe/Lisbon")
            .startswith("Departure removed: Tue 2027-06-01 09:00")
        )

    def test_those_of_a_rule_are_one_row(self, slot: Slot, desk: Client) -> None:
        rule = Rule(weekdays={1, 2}, times=[time(9)], first=date(2027, 6, 1), last=date(2027, 6, 9),
                    duration=timedelta(hours=2), capacity=8)  # fmt: skip
        for _ in range(2):  # the second time all are there
            departures.generate(activity_id=slot.activity_id, rule=rule, actor=STAFF, reason="the season")
        made = {
            "departures": 3,
            "places": 24,
            "first": "2027-06-02T08:00:00+00:00",
            "last": "2027-06-09T08:00:00+00:00",
        }
        assert since(slot) == [("departures", None, made, STAFF, "the season")]
        told = desk.get(page_of(slot.activity)).content.decode()
        assert "3 departures made: Wed 2027-06-02 09:00 to Wed 2027-06-09 09:00, 24 places" in told


class TestActivity:
    def form(self, activity: Activity, *rates: tuple[str, str, str], **changes: str) -> dict[str, str]:
        """Fill its page in: rates of (id, unit, price)."""
        form = {"operator": str(activity.operator_id), "name": activity.name, "timezone": activity.timezone,
                "currency": activity.currency, "is_active": "on", "rates-TOTAL_FORMS": str(len(rates)),
                "rates-INITIAL_FORMS": str(sum(bool(key) for key, _, _ in rates))}  # fmt: skip
        for number, (key, unit, price) in enumerate(rates):
            given = {"id": key, "activity": str(activity.pk), "unit": unit, "name": unit.title(), "amount": price}
            form |= {f"rates-{number}-{name}": value for name, value in given.items()}
        return {name: value for name, value in (form | changes).items() if value}

    def test_prices_at_the_desk(self, slot: Slot, desk: Client) -> None:
        activity = slot.activity
        adult, child = (str(activity.rates.get(unit=unit).pk) for unit in ("adult", "child"))
        form = self.form(activity, (adult, "adult", "47.50"), (child, "child", "20"), ("", "senior", "30"))
        answer = desk.post(page_of(activity), form | {"rates-1-DELETE": "on"})
        assert answer.status_code == 302, answer.content.decode()
        rows = OfferHistory.objects.filter(pk__gt=slot.seen)  # type: ignore[attr-defined]
        assert {(row.unit, row.before, row.after, row.currency, row.actor, row.reason) for row in rows} == {
            ("adult", 4500, 4750, "USD", STAFF, DESK),
            ("child", 2000, None, "USD", STAFF, DESK),
            ("senior", None, 3000, "USD", STAFF, DESK),
        }
        told = desk.get(page_of(activity)).content.decode()
        assert "Price of adult 45.00 USD → 47.50 USD" in told
        assert "Price of child 20.00 USD → none" in told

    def test_an_end_of_sale_at_the_desk(self, slot: Slot, desk: Client) -> None:
        activity = slot.activity
        rates = [(str(rate.pk), rate.unit, str(rate.amount / 100)) for rate in activity.rates.all()]
        assert desk.post(page_of(activity), self.form(activity, *rates, is_active="")).status_code == 302
        assert since(slot) == [("is_active", True, False, STAFF, DESK)]
        assert f"<td>No longer sold</td><td>{STAFF}</td>" in desk.get(page_of(activity)).content.decode()

    def test_of_prices_by_any_way_of_writing(self, slot: Slot) -> None:
        Rate.objects.filter(unit="adult").update(amount=5000)
        sql("UPDATE catalogue_rate SET unit = 'junior' WHERE unit = 'child'")
        Rate.objects.filter(unit="adult").update(name="Grown-up")
        Rate.objects.filter(unit="adult").delete()
        rows = OfferHistory.objects.filter(pk__gt=slot.seen).order_by("id")  # type: ignore[attr-defined]
        assert [(row.what, row.unit, row.before, row.after) for row in rows] == [
            ("price", "adult", 4500, 5000),
            ("price", "child", 2000, None),
            ("price", "junior", None, 2000),
            ("price", "adult", 5000, None),
        ]

    def test_its_terms(self) -> None:
        activity = ActivityFactory.create()
        Activity.objects.update(currency="EUR", exclusive=True, is_active=False, description="otherwise")
        rows = OfferHistory.objects.filter(activity=activity).exclude(what="price").order_by("what")
        assert [(row.what, row.before, row.after) for row in rows] == [
            ("currency", "USD", "EUR"), ("exclusive", False, True), ("is_active", True, False),
        ]  # fmt: skip

    def test_prices_that_go_after_their_activity(self) -> None:
        activity = ActivityFactory.create(rates={"adult": 4500})
        with transaction.atomic():
            sql("DELETE FROM catalogue_activity")
            sql("DELETE FROM catalogue_rate")
        last = OfferHistory.objects.latest("id")
        assert (last.operator_id, last.unit, last.before, last.after) == (activity.operator_id, "adult", 4500, None)


class TestWho:
    def test_is_of_one_transaction(self, slot: Slot) -> None:
        with database.use_case():
            database.name_actor("user:marta", "full")
            Slot.objects.update(capacity=6)
        Slot.objects.update(capacity=7)  # on the same connection
        with database.use_case():
            Slot.objects.update(capacity=8)
        assert since(slot) == [
            ("capacity", 5, 6, "user:marta", "full"),
            ("capacity", 6, 7, DATABASE, ""),
            ("capacity", 7, 8, DATABASE, ""),
        ]

    @pytest.mark.skipif(
        services.PGBOUNCER is None or IS_LED, reason="PgBouncer is not installed, or led through already"
    )
    def test_through_a_pooler_of_transactions(self, slot: Slot) -> None:
        set_time_outs()
        with services.pgbouncer(pool_size=1) as pooler, led_through(pooler, prepare_threshold=None, options=False):
            slots.close(slot_id=slot.pk, actor="user:marta", reason="wind")
            slots.reopen(slot_id=slot.pk, actor="user:ana", reason="calm")
            Slot.objects.update(capacity=7)
        set_time_outs(are_set=False)
        assert [row[3:] for row in since(slot)] == [("user:marta", "wind"), ("user:ana", "calm"), (DATABASE, "")]

    def test_is_refused_where_it_would_hold_for_nothing(self) -> None:
        with pytest.raises(transaction.TransactionManagementError):
            database.name_actor("user:marta", "full")

    def test_of_the_demo(self, tmp_path: Any) -> None:
        data.load(now=datetime(2027, 6, 1, tzinfo=UTC), login_file=tmp_path / "login.json")
        assert set(OfferHistory.objects.values_list("actor", "reason")) == {("demo", "loaded")}


class TestKept:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE catalogue_offerhistory SET reason = 'otherwise'",
            "DELETE FROM catalogue_offerhistory",
            "TRUNCATE catalogue_offerhistory",
            "TRUNCATE tenants_operator CASCADE",
            "TRUNCATE catalogue_rate",
            """INSERT INTO catalogue_offerhistory (at, operator_id, activity_id, what, unit, currency, actor, reason)
               SELECT now(), operator_id, activity_id, 'price', '', '', 'user:marta', '' FROM catalogue_offerhistory""",
        ],
    )
    def test_nobody_rewrites_it(self, slot: Slot, statement: str) -> None:
        before = list(OfferHistory.objects.values())
        with pytest.raises(DatabaseError, match="is refused"):
            sql(statement)
        assert list(OfferHistory.objects.values()) == before
        assert len(before) == 3, "two prices and a departure"

    def test_without_the_guard_it_would_be_gone(self, slot: Slot) -> None:
        off, on = EMPTYING
        with transaction.atomic():
            sql(off)
            sql("TRUNCATE catalogue_offerhistory")
            sql(on)
        assert not OfferHistory.objects.exists()
