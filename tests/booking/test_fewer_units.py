"""Some units of a reservation are cancelled, on its terms."""

from datetime import timedelta
from typing import Any

import pytest

from booking.models import Adjustment, History, Reservation
from catalogue.models import Slot
from common import database
from notifications import facts
from notifications.models import MailKind
from tests.support import fixed_point, promises
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import standing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot() -> Slot:
    at = database.now() + timedelta(hours=24)
    terms = "until 48 h: keep 0 %\nuntil 0 h: keep 20 %"
    return SlotFactory.create(starts_at=at, ends_at=at + timedelta(hours=2), capacity=5, activity__terms=terms)


@pytest.fixture
def frontend(slot: Slot, sandbox: Sandbox) -> Frontend:
    return Frontend.of(slot)


def sold(frontend: Frontend, slot: Slot, sandbox: Sandbox) -> Any:
    """Sell three places for 135.00 USD."""
    made = frontend.reserve(slot, adults=3).json()
    frontend.post(f"reservations/{made['reservation']['id']}/confirm")
    work(sandbox)
    assert standing(frontend, made) == ("paid", 13500, 13500, 0)
    return made


def fewer(frontend: Frontend, made: Any, number: int, *, key: str | None = None, **body: Any) -> Any:
    wanted = {"units": [{"unit": "adult", "quantity": number}], **body}
    return frontend.post(f"reservations/{made['reservation']['id']}/cancel", wanted, key=key)


def reserved(slot: Slot) -> int:
    slot.refresh_from_db()
    return slot.reserved


def settled() -> None:
    promises.hold()
    fixed_point.is_reached()


class TestSome:
    def test_give_back_their_places_and_what_is_not_kept(
        self, frontend: Frontend, slot: Slot, sandbox: Sandbox
    ) -> None:
        made = sold(frontend, slot, sandbox)
        told = frontend.get(f"reservations/{made['reservation']['id']}/cancellation", units="adult:1").json()
        assert (told["fee"], told["refund"]) == (900, 3600)
        answer = fewer(frontend, made, 1, expected_refund=3600).json()["reservation"]
        assert (answer["places"], answer["amount"], answer["amount_owed"]) == (2, 9900, 9900)
        for shown in (answer, frontend.get(f"reservations/{answer['id']}").json()["reservation"]):
            assert [(line["unit"], line["quantity"]) for line in shown["units"]] == [("adult", 2)]
        mail = facts.of_reservation(Reservation.objects.get(), kind=MailKind.MOVED, cause="tried")
        assert sum(mail.facts["units"].values()) == 2
        assert reserved(slot) == 2
        work(sandbox)
        assert standing(frontend, made) == ("paid", 9900, 9900, 0)
        assert History.objects.filter(reason__contains="3 places").get().actor.startswith("client:")
        settled()

    def test_are_told_the_refund_of_now(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sold(frontend, slot, sandbox)
        assert fewer(frontend, made, 1, expected_refund=4500).json()["error"]["code"] == "quote_changed"
        assert reserved(slot) == 3

    def test_once_for_a_key(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sold(frontend, slot, sandbox)
        first, again = (fewer(frontend, made, 1, expected_refund=3600, key="one") for _ in range(2))
        assert first.content == again.content
        assert Adjustment.objects.filter(kind="unit").count() == 1

    def test_never_more_than_there_are(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sold(frontend, slot, sandbox)
        fewer(frontend, made, 2, expected_refund=7200)
        refused = fewer(frontend, made, 2)
        assert refused.json()["error"]["message"] == "This reservation has 1 of adult."
        child = frontend.post(
            f"reservations/{made['reservation']['id']}/cancel", {"units": [{"unit": "child", "quantity": 1}]}
        )
        assert (child.status_code, child.json()["error"]["param"]) == (422, "units")

    def test_all_of_them_are_the_whole(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sold(frontend, slot, sandbox)
        fewer(frontend, made, 2, expected_refund=7200)
        assert fewer(frontend, made, 1, by="operator", expected_refund=6300).status_code == 200
        work(sandbox)
        assert standing(frontend, made) == ("cancelled", 0, 0, 0)
        assert reserved(slot) == 0
        settled()

    def test_of_a_hold_that_is_being_paid_are_fixed(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot, adults=2).json()
        assert fewer(frontend, made, 1).json()["error"]["code"] == "payment_in_progress"

    def test_of_a_hold_without_money(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot, adults=2, hold=True).json()
        assert fewer(frontend, made, 1).status_code == 200
        assert (Reservation.objects.get().places, reserved(slot)) == (1, 1)
        settled()
