"""What was sold stays what it was: a departure's activity and time, an activity's operator, currency and zone."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, connections
from django.test import Client

from booking.models import History, Reservation
from catalogue import inventory, pricing
from catalogue.models import Activity, Slot
from tests.support import promises, stripe_events
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.desk import page_of, sign_in
from tests.support.factories import ActivityFactory, OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot(sandbox: Sandbox) -> Slot:
    """A departure in Lisbon, in winter: by the clock of UTC."""
    return SlotFactory.create()


def hold(slot: Slot) -> None:
    Frontend.of(slot).reserve(slot)


def hold_and_cancel(slot: Slot) -> None:
    frontend = Frontend.of(slot)
    made = frontend.reserve(slot).json()["reservation"]["id"]
    assert frontend.post(f"reservations/{made}/cancel").status_code == 200


def hold_and_decline(slot: Slot) -> None:
    Frontend.of(slot).reserve(slot, card="pm_card_chargeDeclined")


def times(slot: Slot) -> tuple[Any, ...]:
    return Slot.objects.values_list("activity", "starts_at", "ends_at").get(pk=slot.pk)


class TestDeparture:
    @pytest.mark.parametrize("sell", [hold, hold_and_cancel, hold_and_decline])
    def test_is_fixed_once_it_was_sold_also_when_all_have_left(self, slot: Slot, sell: Callable[[Slot], None]) -> None:
        other = ActivityFactory.create(operator=slot.activity.operator)
        sell(slot)
        before = times(slot)
        for change in (
            {"starts_at": slot.starts_at + timedelta(seconds=1)},
            {"ends_at": slot.ends_at - timedelta(seconds=1)},
            {"activity": other},
        ):
            with pytest.raises(IntegrityError, match="its activity and its time are fixed"):
                Slot.objects.filter(pk=slot.pk).update(**change)
        with pytest.raises(IntegrityError, match="what was sold does not change"):
            Slot.objects.update(sold_at=None)
        assert times(slot) == before
        Slot.objects.update(capacity=9, is_closed=True)

    def test_moves_while_nobody_has_had_a_place(self, slot: Slot) -> None:
        later = slot.starts_at + timedelta(hours=1)
        assert Slot.objects.update(starts_at=later, ends_at=later + timedelta(hours=2)) == 1

    def test_what_a_reservation_was_sold_for_stays(self, slot: Slot) -> None:
        hold(slot)
        other = SlotFactory.create(activity=slot.activity)
        for change in ({"starts_at": other.starts_at}, {"day": "2027-01-01"}, {"exclusive": True}):
            with pytest.raises(IntegrityError):
                Reservation.objects.update(**change)

    def test_late_money_does_not_follow_a_departure_that_was_moved_by_force(self, slot: Slot, sandbox: Sandbox) -> None:
        made = Frontend.of(slot).reserve(slot, capture_method="automatic").json()["reservation"]["id"]
        run_out(made)
        Frontend.of(slot).reserve(slot, adults=5)  # who comes next has it expired
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE catalogue_slot DISABLE TRIGGER slot_is_sold")
            later = slot.starts_at + timedelta(days=30)
            Slot.objects.update(starts_at=later, ends_at=later + timedelta(hours=2), capacity=20)
            cursor.execute("ALTER TABLE catalogue_slot ENABLE TRIGGER slot_is_sold")
        stripe_events.deliver_all(sandbox)
        assert History.objects.latest("id").reason.endswith("at another time now")


def form_of(slot: Slot, **changes: str) -> dict[str, str]:
    """Fill the form of a departure in: a day later, unless it says otherwise."""
    day = f"{slot.starts_at + timedelta(days=1):%Y-%m-%d}"
    times = {"starts_at_0": day, "starts_at_1": "10:00", "ends_at_0": day, "ends_at_1": "12:00"}
    return {"activity": str(slot.activity_id), "capacity": "5", **times, **changes}


class TestDesk:
    def test_a_page_opened_before_the_sale_is_told(self, slot: Slot) -> None:
        client = sign_in(operator=slot.activity.operator)
        hold_and_cancel(slot)
        before = times(slot)
        answer = client.post(page_of(slot), form_of(slot, capacity="7"))
        assert "Places of this departure have been sold" in answer.content.decode()
        slot.refresh_from_db()
        assert (times(slot), slot.capacity) == (before, 5)
        assert 'name="starts_at_0"' not in client.get(page_of(slot)).content.decode()

    def test_moves_one_that_nobody_has_had(self, slot: Slot) -> None:
        client, before = sign_in(operator=slot.activity.operator), slot.starts_at
        assert client.post(page_of(slot), form_of(slot)).status_code == 302
        slot.refresh_from_db()
        assert slot.starts_at.date() == before.date() + timedelta(days=1)

    def test_a_refusal_of_the_database_is_told(self, slot: Slot, monkeypatch: pytest.MonkeyPatch) -> None:
        """The form's own check is taken out, as if the guest had come after it."""
        client = sign_in(operator=slot.activity.operator)
        hold(slot)
        before = times(slot)
        monkeypatch.setattr("booking.guarded_admin.is_sold", lambda row: False)
        answer = client.post(page_of(slot), form_of(slot), follow=True)
        page = answer.content.decode()
        assert "its activity and its time are fixed. Nothing was changed." in page
        assert (answer.status_code, times(slot)) == (200, before)

    @pytest.mark.parametrize(("field", "value"), [("currency", "EUR"), ("timezone", "Europe/Madrid")])
    def test_an_activity_that_was_sold_keeps_its_terms(self, slot: Slot, field: str, value: str) -> None:
        client, activity = sign_in(operator=slot.activity.operator), slot.activity
        hold_and_cancel(slot)
        answer = save(client, activity, {field: value})
        assert "this is fixed" in answer.content.decode()
        activity.refresh_from_db()
        assert (activity.currency, activity.timezone, activity.name) == ("USD", "Europe/Lisbon", "Kayak tour")

    def test_an_activity_of_several_parties_does_not_turn_exclusive(self, slot: Slot) -> None:
        client, activity = sign_in(operator=slot.activity.operator), slot.activity
        hold(slot)
        hold(slot)
        answer = save(client, activity, {"exclusive": "on"})
        assert "Several parties have booked this for one time" in answer.content.decode()
        activity.refresh_from_db()
        assert (activity.exclusive, activity.name) == (False, "Kayak tour")

    def test_a_hold_that_ran_out_is_in_nobodys_way_when_it_does(self, slot: Slot) -> None:
        client, activity = sign_in(operator=slot.activity.operator), slot.activity
        hold(slot)
        hold(slot)
        run_out(Reservation.objects.latest("id").pk)
        save(client, activity, {"exclusive": "on"})
        activity.refresh_from_db()
        assert activity.exclusive
        assert Counter(Reservation.objects.values_list("status", flat=True)) == {"pending": 1, "expired": 1}
        promises.hold()


def save(client: Client, activity: Activity, changes: dict[str, str]) -> Any:
    """Send the form of an activity, with another name and these changes."""
    body = {
        "name": "Another name", "description": "", "timezone": activity.timezone, "currency": activity.currency,
        "operator": str(activity.operator_id), "is_active": "on", "rates-TOTAL_FORMS": "0", "rates-INITIAL_FORMS": "0",
    }  # fmt: skip
    return client.post(page_of(activity), body | changes, follow=True)


class TestActivity:
    def test_of_departures_keeps_operator_and_currency(self, slot: Slot) -> None:
        for change in ({"currency": "EUR"}, {"operator": OperatorFactory.create()}):
            with pytest.raises(IntegrityError, match="are fixed"):
                Activity.objects.update(**change)
        assert Activity.objects.update(timezone="Europe/Madrid", name="Kayaks") == 1
        hold(slot)
        with pytest.raises(IntegrityError, match="are fixed"):
            Activity.objects.update(timezone="Europe/Lisbon")

    def test_is_free_while_nothing_is_on_sale(self) -> None:
        ActivityFactory.create()
        assert Activity.objects.update(currency="EUR", timezone="Europe/Madrid", exclusive=True) == 1


@pytest.mark.concurrency
class TestInTheMiddle:
    def test_an_edit_waits_for_the_sale_and_is_refused(self, slot: Slot, monkeypatch: pytest.MonkeyPatch) -> None:
        """The sale has stored its reservation and not yet taken its place when the desk saves the form."""
        ours, client = inventory.take, sign_in(operator=slot.activity.operator)
        stored, edited = threading.Event(), []

        def take(**given: Any) -> None:
            stored.set()
            edit.join(timeout=1)
            assert edit.is_alive(), "the desk waits"
            ours(**given)

        def save_form() -> None:
            try:
                stored.wait(timeout=30)
                edited.append(client.post(page_of(slot), form_of(slot)).content.decode())
            finally:
                connections.close_all()

        monkeypatch.setattr(inventory, "take", take)
        before, edit = times(slot), threading.Thread(target=save_form)
        edit.start()
        assert Frontend.of(slot).reserve(slot).status_code == 201
        edit.join(timeout=30)
        assert "Places of this departure have been sold" in edited[0]
        assert times(slot) == before
        promises.hold()

    def test_a_sale_that_was_offered_what_has_changed_is_offered_anew(
        self, slot: Slot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours, later = pricing.quote, slot.starts_at + timedelta(days=30)

        def quote(**given: Any) -> pricing.Quote:
            Slot.objects.filter(reserved=0).update(starts_at=later, ends_at=later + timedelta(hours=2))
            return ours(**given)

        monkeypatch.setattr(pricing, "quote", quote)
        assert Frontend.of(slot).reserve(slot).status_code == 201
        assert Reservation.objects.get().starts_at == later

    def test_a_storm_of_sales_and_edits_never_moves_a_guest(self, slot: Slot) -> None:
        key = Frontend.of(slot).key
        days = [slot.starts_at + timedelta(days=number) for number in range(1, 5)]

        def edit(start: Any) -> None:
            with suppress(IntegrityError, OperationalError):  # it is sold, or waits for who sells it
                Slot.objects.filter(pk=slot.pk).update(starts_at=start, ends_at=start + timedelta(hours=2))

        race([lambda: Frontend(key).reserve(slot)] * 3 + [partial(edit, day) for day in days])
        slot.refresh_from_db()
        sold = set(Reservation.objects.values_list("starts_at", flat=True))
        assert sold <= {slot.starts_at}
        promises.hold()
