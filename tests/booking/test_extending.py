"""A hold lasts longer, through the API: so long from now, within the ceiling."""

from datetime import timedelta
from typing import Any

import pytest

from booking import expiring
from booking.models import History, Reservation
from catalogue.models import Slot
from common import database
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot() -> Slot:
    return SlotFactory.create()


@pytest.fixture
def frontend(slot: Slot, sandbox: Sandbox) -> Frontend:
    return Frontend.of(slot)


def extend(frontend: Frontend, made: Any, minutes: object, *, key: str | None = None) -> Any:
    return frontend.post(f"reservations/{made['reservation']['id']}/extend", {"minutes": minutes}, key=key)


def left() -> timedelta:
    """Return how long the hold lasts from now."""
    ends = Reservation.objects.get().expires_at
    assert ends is not None
    return ends - database.now()


class TestExtend:
    def test_lasts_so_long_from_now(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot).json()
        answer = extend(frontend, made, 40)
        assert answer.status_code == 200
        assert answer.json()["reservation"]["expires_at"] > made["reservation"]["expires_at"]
        assert timedelta(minutes=39) < left() <= timedelta(minutes=40)
        noted = History.objects.get(reason__startswith="extend (the hold lasts until")
        assert noted.actor.startswith("client:")

    def test_never_gets_shorter(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot).json()
        assert extend(frontend, made, 5).json()["reservation"]["expires_at"] == made["reservation"]["expires_at"]
        assert not History.objects.filter(reason__startswith="extend").exists()

    def test_goes_no_further_than_the_ceiling(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot).json()
        refused = extend(frontend, made, 61)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "hold_ceiling")
        assert left() <= timedelta(minutes=15)

    def test_is_done_once_by_one_key(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot).json()
        first, second = (extend(frontend, made, 30, key="once") for _ in range(2))
        assert first.content == second.content
        assert History.objects.filter(reason__startswith="extend").count() == 1

    def test_is_of_a_live_hold_only(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot).json()
        Reservation.objects.update(expires_at=database.now())
        assert extend(frontend, made, 30).json()["error"]["code"] == "hold_expired"
        expiring.expire_due()
        assert extend(frontend, made, 30).json()["error"]["code"] == "invalid_state"

    @pytest.mark.parametrize("minutes", [0, -1, 10_081, "10", 1.5, None])
    def test_takes_minutes_only(self, frontend: Frontend, slot: Slot, minutes: object) -> None:
        made = frontend.reserve(slot).json()
        refused = extend(frontend, made, minutes)
        assert (refused.status_code, refused.json()["error"]["param"]) == (422, "minutes")

    def test_touches_no_other_operators(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot).json()
        other = Frontend.of(SlotFactory.create())
        assert extend(other, made, 30).status_code == 404
        assert left() <= timedelta(minutes=15)
