"""Two parties that want one boat at one time, and what the promise sees."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from booking.models import Reservation
from catalogue.models import Activity, Slot
from reconciliation.promises import check_all
from tests.booking.boats import code_of, day_body, day_of, later
from tests.support import promises
from tests.support.api import Frontend
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


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
    def run(self, boat: Activity, morning: Slot) -> list[str]:
        """Let guests of overlapping departures and of the whole day begin at one moment."""
        key, other = Frontend.of(morning).key, later(morning, hours=1)
        ways = [
            lambda: Frontend(key).reserve(morning),
            lambda: Frontend(key).reserve(other),
            lambda: Frontend(key).post("reservations", day_body(boat, date=day_of(morning))),
        ]
        return [code_of(answer) for answer in race(ways * 3)]

    def test_one_party_gets_the_boat(self, boat: Activity, morning: Slot) -> None:
        answers = self.run(boat, morning)
        assert answers.count("") == 1
        assert set(answers) <= {"", "slot_sold_out", "resource_unavailable"}
        promises.hold(at_provider=True)

    def test_without_the_constraint_several_get_it(self, boat: Activity, morning: Slot) -> None:
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
            Reservation.objects.update(
                status="expired", amount_owed=0, changed_at=Now(), changed_by="x", changed_because="y"
            )
            cursor.execute(p2.breaches.replace("%%", "%"))
            assert [what for _, what in cursor.fetchall()] == ["occupies, and is expired"]
            transaction.set_rollback(True)
