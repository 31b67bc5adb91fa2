"""Many for few places, over real connections: exactly the places there are get sold, in whatever order they come."""

import threading
from collections import Counter
from datetime import datetime
from functools import partial
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.models import Reservation
from booking.states import ACTIVE
from catalogue import inventory
from catalogue.errors import SlotSoldOutError
from catalogue.models import Slot
from reconciliation.promises import check_all
from tests.support import promises
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import deadlocks, race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

GUESTS = 200
PLACES = 50


class TestLastPlaces:
    def test_two_hundred_guests_for_fifty_places(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=PLACES)
        key = Frontend.of(slot).key
        before = deadlocks()
        answers = race([lambda: Frontend(key).reserve(slot)] * GUESTS)
        told = Counter(answer.status_code for answer in answers)
        # A lock that could not be had in time is a 409 too, and the place is then somebody else's to take: a guest
        # who is told so asks again, as a frontend does.
        busy = [answer for answer in answers if is_busy(answer)]
        while busy:
            again = [Frontend(key).reserve(slot) for _ in busy]
            told.update(answer.status_code for answer in again)
            busy = [answer for answer in again if is_busy(answer)]
        assert told[201] == PLACES
        assert set(told) == {201, 409}
        slot.refresh_from_db()
        sold = Reservation.objects.filter(slot=slot, status__in=sorted(ACTIVE)).count()
        assert (slot.reserved, sold, len(sandbox.payment_intents())) == (PLACES, PLACES, PLACES)
        assert deadlocks() == before
        promises.hold(at_provider=True)

    def test_parties_of_different_sizes_never_oversell(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=20)
        key = Frontend.of(slot).key
        answers = race([partial(Frontend(key).reserve, slot, adults=size) for size in (1, 2, 3, 5) * 10])
        sold = sum(answer.json()["reservation"]["places"] for answer in answers if answer.status_code == 201)
        slot.refresh_from_db()
        assert slot.reserved == sold <= 20
        assert {answer.status_code for answer in answers} == {201, 409}
        promises.hold(at_provider=True)

    def test_an_exclusive_activity_has_one_party(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=10, activity__exclusive=True)
        key = Frontend.of(slot).key
        answers = race([lambda: Frontend(key).reserve(slot)] * 12)
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 11}
        promises.hold(at_provider=True)


class TestWithoutTheSafety:
    """The same with a safety taken out: what the tests above show is shown by the safety, not by luck."""

    def test_without_the_lock_the_last_place_is_sold_twice(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        both_have_looked = threading.Barrier(2)

        def take_unlocked(*, slot_id: UUID, places: int, now: datetime) -> None:
            slot = Slot.objects.get(pk=slot_id)
            both_have_looked.wait(timeout=30)
            if slot.available < places:
                raise SlotSoldOutError(available=slot.available)
            Slot.objects.filter(pk=slot_id).update(reserved=slot.reserved + places)

        monkeypatch.setattr(inventory, "take", take_unlocked)
        slot = SlotFactory.create(capacity=1)
        key = Frontend.of(slot).key
        answers = race([lambda: Frontend(key).reserve(slot)] * 2)
        assert [answer.status_code for answer in answers] == [201, 201]
        assert [verdict.promise.number for verdict in check_all() if verdict.breaches] == ["P1"]

    @pytest.mark.parametrize(("plain", "answered", "deadlocked"), [(True, [201, 409], 1), (False, [201, 201], 0)])
    def test_a_plain_lock_deadlocks_with_the_foreign_key(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, plain: bool, answered: list[int], deadlocked: int
    ) -> None:
        both_have_inserted = threading.Barrier(2)
        ours = inventory.take

        def take(*, slot_id: UUID, places: int, now: datetime) -> None:
            with connection.cursor() as cursor:
                # Django defers foreign keys to COMMIT; a constraint that does not has its key-share lock by now.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            both_have_inserted.wait(timeout=30)
            if plain:
                Slot.objects.select_for_update().get(pk=slot_id)
            ours(slot_id=slot_id, places=places, now=now)

        monkeypatch.setattr(inventory, "take", take)
        slot = SlotFactory.create(capacity=2)
        key = Frontend.of(slot).key
        before = deadlocks()
        answers = race([lambda: Frontend(key).reserve(slot)] * 2)
        assert sorted(answer.status_code for answer in answers) == answered
        assert deadlocks() == before + deadlocked

    def test_the_slot_is_locked_last_and_weakly(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        with CaptureQueriesContext(connection) as sent:
            Frontend.of(slot).reserve(slot)
        told = [query["sql"] for query in sent]
        insert = next(number for number, sql in enumerate(told) if 'INSERT INTO "booking_reservation"' in sql)
        update, commit = told[insert + 1 : insert + 3]
        assert update.lstrip().startswith(
            "UPDATE catalogue_slot SET reserved ="
        )  # no key of it: a lock FOR NO KEY UPDATE
        assert commit == "COMMIT"


def is_busy(answer: object) -> bool:
    return b"lock_timeout" in getattr(answer, "content", b"")
