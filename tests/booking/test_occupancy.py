"""One party, one boat (P2): an exclusive activity is given away by time, through whatever it is booked."""

import threading
import time
from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError, connection

from booking import expiring, rescheduling
from booking.models import Occupancy, Reservation
from catalogue import pricing
from catalogue.errors import SlotSoldOutError
from catalogue.models import Activity, Slot
from payments.models import Refund
from tests.booking.boats import code_of, day_body, day_of, later
from tests.support import promises, stripe_events
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.factories import ActivityFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import deadlocks, race

pytestmark = pytest.mark.django_db(transaction=True)


class TestOverlap:
    @pytest.mark.parametrize(
        ("by", "code"),
        [
            ({"minutes": 119}, "slot_sold_out"),
            ({"minutes": -119}, "slot_sold_out"),
            ({"hours": 2}, ""),
            ({"hours": -2}, ""),
        ],
    )
    def test_of_departures(self, morning: Slot, by: dict[str, int], code: str) -> None:
        frontend = Frontend.of(morning)
        other = later(morning, **by)
        assert frontend.reserve(morning).status_code == 201
        assert code_of(frontend.reserve(other)) == code
        other.refresh_from_db()
        assert (other.reserved, Occupancy.objects.count()) == ((0, 1) if code else (1, 2))
        promises.hold()

    def test_of_a_departure_and_the_whole_day(self, boat: Activity, morning: Slot) -> None:
        frontend = Frontend.of(morning)
        assert frontend.reserve(morning).status_code == 201
        assert code_of(frontend.post("reservations", day_body(boat, date=day_of(morning)))) == "resource_unavailable"
        free = day_of(later(morning, days=1))
        assert code_of(frontend.post("reservations", day_body(boat, date=free))) == ""
        assert code_of(frontend.post("reservations", day_body(boat, date=free))) == "resource_unavailable"
        assert code_of(frontend.reserve(Slot.objects.latest("starts_at"))) == "slot_sold_out"
        assert Reservation.objects.count() == Occupancy.objects.count() == 2
        promises.hold()

    def test_another_boat_is_another_matter(self, morning: Slot) -> None:
        other = SlotFactory.create(
            activity=ActivityFactory.create(operator=morning.activity.operator, exclusive=True),
            starts_at=morning.starts_at,
        )
        frontend = Frontend.of(morning)
        assert [code_of(frontend.reserve(slot)) for slot in (morning, other)] == ["", ""]

    def test_nothing_is_kept_of_an_activity_that_is_shared(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        assert [code_of(frontend.reserve(slot)) for _ in range(2)] == ["", ""]
        assert not Occupancy.objects.exists()


class TestOver:
    @pytest.mark.parametrize("whole", [True, False])
    def test_a_hold_that_ran_out_elsewhere_on_the_boat_does_not_block(
        self, boat: Activity, morning: Slot, whole: bool
    ) -> None:
        frontend = Frontend.of(morning)
        first = (
            frontend.post("reservations", day_body(boat, date=day_of(morning))) if whole else frontend.reserve(morning)
        )
        run_out(first.json()["reservation"]["id"])
        assert code_of(frontend.reserve(later(morning, minutes=30))) == ""
        assert Counter(Reservation.objects.values_list("status", flat=True)) == {"expired": 1, "pending": 1}
        assert list(Occupancy.objects.values_list("reservation__status", flat=True)) == ["pending"]
        promises.hold()

    def test_a_cancelled_or_declined_party_has_left(self, morning: Slot) -> None:
        frontend = Frontend.of(morning)
        made = frontend.reserve(morning).json()["reservation"]["id"]
        frontend.post(f"reservations/{made}/cancel")
        assert code_of(frontend.reserve(morning, card="pm_card_chargeDeclined")) == "card_declined"
        assert not Occupancy.objects.exists()
        assert code_of(frontend.reserve(later(morning, hours=1))) == ""

    def test_a_moved_party_has_moved(self, morning: Slot) -> None:
        frontend = Frontend.of(morning)
        frontend.reserve(morning)
        row = Reservation.objects.get()
        overlapping, evening = later(morning, hours=1), later(morning, hours=9)
        for slot in (overlapping, evening):
            rescheduling.reschedule(
                operator=row.operator, reservation_id=row.pk, slot_id=slot.pk, actor="user:x", reason="wind"
            )
        row.refresh_from_db()
        assert (row.starts_at, row.ends_at) == (evening.starts_at, evening.ends_at)
        assert code_of(frontend.reserve(morning)) == ""
        with pytest.raises(SlotSoldOutError):
            rescheduling.reschedule(
                operator=row.operator, reservation_id=row.pk, slot_id=overlapping.pk, actor="user:x", reason="wind"
            )
        promises.hold()


class TestLateMoney:
    def expire_while_charged(self, sandbox: Sandbox, slot: Slot) -> Frontend:
        """Take the money of a hold at the provider, whose event comes when the hold is over."""
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot, capture_method="automatic").json()["reservation"]["id"]
        run_out(made)
        return frontend

    def test_has_the_boat_again(self, sandbox: Sandbox, morning: Slot) -> None:
        frontend = self.expire_while_charged(sandbox, morning)
        other = later(morning, hours=1)
        made = frontend.reserve(other).json()["reservation"]["id"]
        frontend.post(f"reservations/{made}/cancel")
        assert Counter(Reservation.objects.values_list("status", flat=True)) == {"expired": 1, "cancelled": 1}
        stripe_events.deliver_all(sandbox)
        assert Occupancy.objects.get().reservation.status == "paid"
        assert code_of(frontend.reserve(other)) == "slot_sold_out"
        promises.hold()

    def test_goes_back_when_another_party_has_it(self, sandbox: Sandbox, boat: Activity, morning: Slot) -> None:
        frontend = self.expire_while_charged(sandbox, morning)
        assert code_of(frontend.post("reservations", day_body(boat, date=day_of(morning)))) == ""
        stripe_events.deliver_all(sandbox)
        assert Refund.objects.get().amount == 68000
        assert Occupancy.objects.get().reservation.day is not None
        promises.hold()

    def test_is_not_kept_out_by_a_hold_that_ran_out(self, sandbox: Sandbox, morning: Slot) -> None:
        frontend = self.expire_while_charged(sandbox, morning)
        run_out(frontend.reserve(later(morning, hours=1)).json()["reservation"]["id"])
        stripe_events.deliver_all(sandbox)
        assert Counter(Reservation.objects.values_list("status", flat=True)) == {"paid": 1, "expired": 1}
        promises.hold()

    def test_waits_for_nobody_who_waits_for_it(
        self, sandbox: Sandbox, morning: Slot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Late money has ended a hold that ran out, and not yet taken the boat, when another guest asks for it."""
        key, ours, answers = self.expire_while_charged(sandbox, morning).key, expiring.end_due, []
        other = later(morning, hours=1)
        run_out(Frontend(key).reserve(other).json()["reservation"]["id"])

        def ask() -> None:
            answers.extend(race([lambda: Frontend(key).reserve(other)]))

        def end_due(**given: Any) -> Any:
            ended = ours(**given)
            guest.start()
            wait_until_somebody_waits()
            return ended

        monkeypatch.setattr(expiring, "end_due", end_due)
        before, guest = deadlocks(), threading.Thread(target=ask)
        stripe_events.deliver_all(sandbox)
        guest.join(timeout=30)
        assert [code_of(answer) for answer in answers] == ["slot_sold_out"]
        assert Occupancy.objects.get().reservation.status == "paid"
        assert deadlocks() == before
        promises.hold()


def wait_until_somebody_waits() -> None:
    """Wait until a connection of this database waits for a lock."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


class TestSwitching:
    def test_on_guards_the_guest_who_is_there(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        frontend.reserve(slot)
        Activity.objects.update(exclusive=True)
        assert code_of(frontend.reserve(slot)) == "slot_sold_out"
        assert code_of(frontend.reserve(later(slot, hours=1))) == "slot_sold_out"
        promises.hold()

    def test_on_is_refused_where_two_parties_have_one_time(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        frontend.reserve(slot)
        made = frontend.reserve(later(slot, hours=1)).json()["reservation"]["id"]
        with pytest.raises(IntegrityError, match="several parties have booked"):
            Activity.objects.update(exclusive=True)
        assert not Occupancy.objects.exists()
        frontend.post(f"reservations/{made}/cancel")
        assert Activity.objects.update(exclusive=True) == 1

    def test_off_is_refused_while_somebody_has_it_for_himself(self, morning: Slot) -> None:
        frontend = Frontend.of(morning)
        made = frontend.reserve(morning).json()["reservation"]["id"]
        with pytest.raises(IntegrityError, match="bought this activity for themselves"):
            Activity.objects.update(exclusive=False)
        frontend.post(f"reservations/{made}/cancel")
        assert Activity.objects.update(exclusive=False) == 1
        assert [code_of(frontend.reserve(morning)) for _ in range(2)] == ["", ""]

    def test_in_the_middle_of_a_sale_is_seen_by_it(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """The sale has read its offer; the activity turns exclusive; the sale is made as it is now."""
        slot, ours = SlotFactory.create(), pricing.quote

        def quote(**given: Any) -> pricing.Quote:
            Activity.objects.update(exclusive=True)
            return ours(**given)

        monkeypatch.setattr(pricing, "quote", quote)
        frontend = Frontend.of(slot)
        assert [code_of(frontend.reserve(slot)) for _ in range(2)] == ["", "slot_sold_out"]
        assert Reservation.objects.get().exclusive
        promises.hold()
