"""What a caller may hold unpaid is bounded: by holds, by places, however many are asked for at once."""

import threading
from typing import Any

import pytest
from pytest_django import Settings

from booking import locks
from booking.allowances import Allowance
from booking.models import Reservation
from catalogue.models import Slot
from payments.models import Command, Payment
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race
from tests.support.user_pool import Pool

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot(sandbox: Sandbox, settings: Settings) -> Slot:
    settings.MAX_LIVE_HOLDS_PER_CUSTOMER, settings.MAX_LIVE_PLACES_PER_CUSTOMER = 3, 8
    return SlotFactory.create(
        capacity=500, activity__operator__slug="kayaks", activity__operator__cognito_client_id="kayak-shop"
    )


@pytest.fixture
def guest(pool: Pool, slot: Slot) -> Frontend:
    """Somebody who has signed up by themselves."""
    return Frontend(pool.token(aud="kayak-shop", sub="guest", email=None))


def codes(answers: list[Any]) -> list[str]:
    return [answer.json().get("error", {}).get("code", str(answer.status_code)) for answer in answers]


def held() -> tuple[int, int]:
    rows = Reservation.objects.filter(status__in=["pending", "awaiting_payment"])
    return rows.count(), sum(row.places for row in rows)


class TestCustomer:
    def test_holds_so_many_reservations_only(self, guest: Frontend, slot: Slot) -> None:
        assert codes([guest.reserve(slot) for _ in range(4)]) == ["201", "201", "201", "too_many_holds"]
        refused = guest.reserve(slot)
        assert (refused.status_code, refused["Retry-After"]) == (409, "30")
        assert (held(), Payment.objects.count(), Command.objects.count()) == ((3, 3), 3, 3)

    def test_and_so_many_places(self, guest: Frontend, slot: Slot) -> None:
        answers = [guest.reserve(slot, adults=number) for number in (9, 5, 4, 3)]
        assert codes(answers) == ["too_many_places", "201", "too_many_places", "201"]
        assert answers[0].json()["error"]["param"] == "units"
        slot.refresh_from_db()
        assert (held(), slot.reserved) == ((2, 8), 8)

    def test_what_is_over_or_confirmed_counts_no_more(self, guest: Frontend, slot: Slot) -> None:
        made = [guest.reserve(slot).json()["reservation"]["id"] for _ in range(3)]
        run_out(made[0])
        assert guest.reserve(slot).status_code == 201
        assert guest.post(f"reservations/{made[1]}/confirm").status_code == 200
        assert guest.reserve(slot).status_code == 201
        assert guest.reserve(slot).status_code == 409

    def test_others_are_not_concerned(self, guest: Frontend, slot: Slot, pool: Pool) -> None:
        for _ in range(4):
            guest.reserve(slot)
        assert Frontend(pool.token(aud="kayak-shop", sub="rui", email=None)).reserve(slot).status_code == 201
        assert Frontend.of(slot).reserve(slot, adults=20).status_code == 201

    def test_at_once_too(self, guest: Frontend, slot: Slot) -> None:
        guest.get("slots")  # the client of a person is made on first sight
        race([lambda: Frontend(guest.key).reserve(slot, adults=2)] * 8)
        assert held() == (3, 6)

    def test_which_is_the_locks_doing(self, guest: Frontend, slot: Slot, monkeypatch: pytest.MonkeyPatch) -> None:
        """The negative control: what all of them count before one has its hold is too little."""
        guest.get("slots")
        count, together = Allowance.check_exactly, threading.Barrier(4, timeout=60)

        def count_together(self: Allowance, **known: Any) -> None:
            count(self, **known)
            together.wait()

        monkeypatch.setattr(locks, "lock_client", lambda client_id: None)
        monkeypatch.setattr(Allowance, "check_exactly", count_together)
        race([lambda: Frontend(guest.key).reserve(slot)] * 4)
        assert held()[0] == 4


class TestProgram:
    def test_holds_so_many_places(self, slot: Slot, settings: Settings) -> None:
        settings.MAX_LIVE_PLACES_PER_CLIENT = 10
        frontend = Frontend.of(slot)
        assert codes([frontend.reserve(slot, adults=number) for number in (6, 5, 4)]) == [
            "201",
            "too_many_places",
            "201",
        ]

    def test_one_reservation_is_of_so_many(self, slot: Slot, settings: Settings) -> None:
        settings.MAX_PLACES_PER_RESERVATION = 10
        error = Frontend.of(slot).reserve(slot, adults=11).json()["error"]
        assert (error["code"], error["param"]) == ("max_value", "units")
        assert not Reservation.objects.exists()
