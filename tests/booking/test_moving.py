"""Moving to another departure: places are never in two slots nor in none, and the history says so."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from booking import rescheduling
from booking.errors import HoldExpiredError
from booking.models import History, Reservation
from catalogue import slots
from catalogue.errors import SlotClosedError, SlotSoldOutError
from catalogue.models import Slot
from common.errors import HoldfastError, NotFoundError, ValidationError
from common.states import InvalidStateError
from notifications.models import Mail
from sweeps import registry
from tests.support import promises
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.factories import ActivityFactory, OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here(sandbox: Sandbox) -> Slot:
    return SlotFactory.create()


@pytest.fixture
def there(here: Slot) -> Slot:
    """The same activity, a day later."""
    return SlotFactory.create(activity=here.activity, starts_at=here.starts_at + timedelta(days=1))


def reserve(slot: Slot, adults: int = 2, **more: Any) -> Reservation:
    made = Frontend.of(slot).reserve(slot, adults=adults, **more).json()["reservation"]
    return Reservation.objects.get(pk=made["id"])


def move(row: Reservation, slot: Slot) -> Reservation:
    return rescheduling.reschedule(
        operator=row.operator, reservation_id=row.pk, slot_id=slot.pk, actor="user:marta", reason="the wind"
    )


def outcome_of(row: Reservation, slot: Slot) -> str:
    try:
        move(row, slot)
    except HoldfastError as refusal:
        return refusal.code
    return "moved"


def places(*found: Slot) -> list[int]:
    return [Slot.objects.get(pk=slot.pk).reserved for slot in found]


class TestMove:
    def test_takes_its_places_along(self, here: Slot, there: Slot) -> None:
        row = reserve(here)
        assert move(row, there).slot_id == there.pk
        assert places(here, there) == [0, 2]
        last = History.objects.filter(reservation=row).latest("id")
        assert (last.moved_from, last.actor, last.reason) == (here, "user:marta", "the wind")
        assert (last.from_status, last.to_status) == ("pending", "pending")
        promises.hold(at_provider=True)

    def test_tells_the_guest(self, here: Slot, there: Slot) -> None:
        move(reserve(here), there)
        registry.run("send_mails")
        mail = Mail.objects.get(kind="moved")
        assert mail.facts["starts_at"] == there.starts_at.isoformat().replace("+00:00", "Z")

    def test_what_is_canceled_afterwards_frees_the_places_there(self, here: Slot, there: Slot) -> None:
        row = reserve(here)
        move(row, there)
        run_out(row.pk)
        registry.run("expire_reservations")
        assert places(here, there) == [0, 0]

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            (lambda row, slot: Slot.objects.filter(pk=slot.pk).update(capacity=1), SlotSoldOutError),
            (lambda row, slot: slots.close(slot_id=slot.pk, actor="user:marta", reason="wind"), SlotClosedError),
            (lambda row, slot: Slot.objects.filter(pk=slot.pk).update(starts_at=timezone.now()), SlotClosedError),
            (lambda row, slot: run_out(row.pk), HoldExpiredError),
        ],
    )
    def test_is_refused_and_changes_nothing(
        self, here: Slot, there: Slot, change: Any, error: type[HoldfastError]
    ) -> None:
        row = reserve(here)
        change(row, there)
        before = History.objects.count()
        with pytest.raises(error):
            move(row, there)
        assert places(here, there) == [2, 0]
        assert Reservation.objects.get().slot_id == here.pk
        assert History.objects.count() == before

    def test_not_to_another_activity_nor_to_where_it_is_nor_what_is_over(self, here: Slot, there: Slot) -> None:
        row = reserve(here)
        other = SlotFactory.create(activity=ActivityFactory.create(operator=here.activity.operator))
        with pytest.raises(NotFoundError):
            move(row, other)
        with pytest.raises(ValidationError):
            move(row, here)
        with pytest.raises(NotFoundError):
            rescheduling.reschedule(
                operator=OperatorFactory.create(), reservation_id=row.pk, slot_id=there.pk, actor="user:x", reason="x"
            )
        Frontend.of(here).post(f"reservations/{row.pk}/cancel")
        with pytest.raises(InvalidStateError):
            move(row, there)

    def test_places_of_a_hold_that_is_over_are_free(self, here: Slot, there: Slot) -> None:
        Slot.objects.filter(pk=there.pk).update(capacity=2)
        run_out(reserve(there).pk)
        row = reserve(here)
        move(row, there)
        assert places(here, there) == [0, 2]

    def test_one_party_has_an_exclusive_departure(self, sandbox: Sandbox) -> None:
        activity = ActivityFactory.create(exclusive=True)
        here = SlotFactory.create(activity=activity)
        there = SlotFactory.create(activity=activity, starts_at=here.starts_at + timedelta(days=1))
        row = reserve(here, adults=1)
        reserve(there, adults=1)
        with pytest.raises(SlotSoldOutError):
            move(row, there)
        assert places(here, there) == [1, 1]

    def test_the_database_wants_to_know_who_and_why(self, here: Slot, there: Slot) -> None:
        row = reserve(here)
        with pytest.raises(Exception, match="says when, who and why"):
            Reservation.objects.filter(pk=row.pk).update(slot=there)


@pytest.mark.concurrency
class TestRaces:
    def test_two_who_swap_do_not_wait_for_each_other_for_ever(self, here: Slot, there: Slot) -> None:
        mine, yours = reserve(here), reserve(there)
        outcomes = race([lambda: move(mine, there), lambda: move(yours, here)])
        assert [type(outcome) for outcome in outcomes] == [Reservation, Reservation]
        assert places(here, there) == [2, 2]
        promises.hold()

    def test_the_last_places_are_taken_once(self, here: Slot, there: Slot) -> None:
        Slot.objects.filter(pk=there.pk).update(capacity=2)
        rows = [reserve(here), reserve(here)]
        outcomes = race([partial(outcome_of, row, there) for row in rows])
        assert sorted(outcomes) == ["moved", "slot_sold_out"]
        assert places(here, there) == [2, 2]
        promises.hold()
