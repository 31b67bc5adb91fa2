"""One party, one boat (P2): an exclusive resource is given away by time, through whatever it is booked."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from booking import expiring, moving, pricing
from booking.errors import SlotSoldOutError
from booking.models import Occupancy, Reservation, Resource, Slot
from payments.models import Refund
from reconciliation.promises import check_all
from tests import promises, stripe_events
from tests.aging import run_out
from tests.api import Frontend
from tests.factories import ResourceFactory, SlotFactory
from tests.sandbox_client import Sandbox
from tests.threads import deadlocks, race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boat(sandbox: Sandbox) -> Resource:
    """A boat for one party, with one price."""
    return ResourceFactory.create(exclusive=True, rates={"adult": 68000})


@pytest.fixture
def morning(boat: Resource) -> Slot:
    """A departure of two hours."""
    return SlotFactory.create(resource=boat, capacity=10)


def later(slot: Slot, **by: int) -> Slot:
    """Make another departure of the boat, so much later."""
    return SlotFactory.create(resource=slot.resource, capacity=10, starts_at=slot.starts_at + timedelta(**by))


def day_body(boat: Resource, **more: Any) -> dict[str, Any]:
    """Write the body that books the whole boat."""
    return {
        "resource_id": str(boat.pk),
        "customer": {"name": "Rui", "email": "rui@example.com"},
        "payment": {"provider": "stripe", "payment_method_id": "pm_card_visa"},
        **more,
    }


def day_of(slot: Slot) -> str:
    """Return the local day of a departure (all these are in Lisbon, in winter)."""
    return f"{slot.starts_at:%Y-%m-%d}"


def code_of(answer: Any) -> str:
    """Return why a request was refused, or that it was not."""
    return "" if answer.status_code == 201 else answer.json()["error"]["code"]


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

    def test_of_a_departure_and_the_whole_day(self, boat: Resource, morning: Slot) -> None:
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
            resource=ResourceFactory.create(operator=morning.resource.operator, exclusive=True),
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
        self, boat: Resource, morning: Slot, whole: bool
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
            moving.move(operator=row.operator, reservation_id=row.pk, slot_id=slot.pk, actor="user:x", reason="wind")
        row.refresh_from_db()
        assert (row.starts_at, row.ends_at) == (evening.starts_at, evening.ends_at)
        assert code_of(frontend.reserve(morning)) == ""
        with pytest.raises(SlotSoldOutError):
            moving.move(
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

    def test_goes_back_when_another_party_has_it(self, sandbox: Sandbox, boat: Resource, morning: Slot) -> None:
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
        Resource.objects.update(exclusive=True)
        assert code_of(frontend.reserve(slot)) == "slot_sold_out"
        assert code_of(frontend.reserve(later(slot, hours=1))) == "slot_sold_out"
        promises.hold()

    def test_on_is_refused_where_two_parties_have_one_time(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        frontend.reserve(slot)
        made = frontend.reserve(later(slot, hours=1)).json()["reservation"]["id"]
        with pytest.raises(IntegrityError, match="several parties have booked"):
            Resource.objects.update(exclusive=True)
        assert not Occupancy.objects.exists()
        frontend.post(f"reservations/{made}/cancel")
        assert Resource.objects.update(exclusive=True) == 1

    def test_off_is_refused_while_somebody_has_it_for_himself(self, morning: Slot) -> None:
        frontend = Frontend.of(morning)
        made = frontend.reserve(morning).json()["reservation"]["id"]
        with pytest.raises(IntegrityError, match="bought this activity for themselves"):
            Resource.objects.update(exclusive=False)
        frontend.post(f"reservations/{made}/cancel")
        assert Resource.objects.update(exclusive=False) == 1
        assert [code_of(frontend.reserve(morning)) for _ in range(2)] == ["", ""]

    def test_in_the_middle_of_a_sale_is_seen_by_it(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """The sale has read its offer; the activity turns exclusive; the sale is made as it is now."""
        slot, ours = SlotFactory.create(), pricing.quote

        def quote(**given: Any) -> pricing.Quote:
            Resource.objects.update(exclusive=True)
            return ours(**given)

        monkeypatch.setattr(pricing, "quote", quote)
        frontend = Frontend.of(slot)
        assert [code_of(frontend.reserve(slot)) for _ in range(2)] == ["", "slot_sold_out"]
        assert Reservation.objects.get().exclusive
        promises.hold()


@contextmanager
def without_the_constraint() -> Iterator[None]:
    """Take the safety out, and put it back when the rows are gone."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE booking_occupancy RENAME CONSTRAINT occupancy_one_party TO kept")
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'kept'")
        (definition,) = cursor.fetchone()
        cursor.execute("ALTER TABLE booking_occupancy DROP CONSTRAINT kept")
        try:
            yield
        finally:
            cursor.execute("TRUNCATE booking_occupancy")
            cursor.execute(f"ALTER TABLE booking_occupancy ADD CONSTRAINT occupancy_one_party {definition}")


@pytest.mark.concurrency
class TestRace:
    def run(self, boat: Resource, morning: Slot) -> list[str]:
        """Let guests of overlapping departures and of the whole day begin at one moment."""
        key, other = Frontend.of(morning).key, later(morning, hours=1)
        ways = [
            lambda: Frontend(key).reserve(morning),
            lambda: Frontend(key).reserve(other),
            lambda: Frontend(key).post("reservations", day_body(boat, date=day_of(morning))),
        ]
        return [code_of(answer) for answer in race(ways * 3)]

    def test_one_party_gets_the_boat(self, boat: Resource, morning: Slot) -> None:
        answers = self.run(boat, morning)
        assert answers.count("") == 1
        assert set(answers) <= {"", "slot_sold_out", "resource_unavailable"}
        promises.hold(at_provider=True)

    def test_without_the_constraint_several_get_it(self, boat: Resource, morning: Slot) -> None:
        with without_the_constraint():
            assert self.run(boat, morning).count("") > 1
            assert [verdict.promise.number for verdict in check_all() if verdict.breaches] == ["P2"]


class TestPromise:
    def test_sees_a_row_of_one_that_is_over_and_a_party_without_its_row(self, morning: Slot) -> None:
        Frontend.of(morning).reserve(morning)
        (p2,) = (verdict.promise for verdict in check_all() if verdict.promise.number == "P2")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE booking_occupancy SET during = '{}'")
            cursor.execute(p2.breaches.replace("%%", "%"))
            assert [what for _, what in cursor.fetchall()] == ["has its time without occupying it"]
            cursor.execute("ALTER TABLE booking_reservation DISABLE TRIGGER reservation_occupies_of_update")
            Reservation.objects.update(status="expired", changed_at=Now(), changed_by="x", changed_because="y")
            cursor.execute(p2.breaches.replace("%%", "%"))
            assert [what for _, what in cursor.fetchall()] == ["occupies, and is expired"]
            transaction.set_rollback(True)
