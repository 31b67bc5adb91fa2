"""Changes that are open: they lapse, are given up, or end with their reservation."""

from typing import Any

import pytest

from booking.models import Change, Reservation
from catalogue.models import Slot
from payments.models import Payment
from sweeps import registry
from tests.support import promises, stripe_events
from tests.support.api import Frontend
from tests.support.changing import CARD, change, places, settled, time_is_over
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import standing

pytestmark = pytest.mark.django_db(transaction=True)


class TestWhatIsOpen:
    @pytest.fixture
    def asked(self, frontend: Frontend, made: dict[str, Any], there: Slot) -> Change:
        assert change(frontend, made, slot_id=str(there.pk)).status_code == 201
        return Change.objects.get()

    def test_lapses_without_a_trace(
        self, frontend: Frontend, made: dict[str, Any], asked: Change, here: Slot, there: Slot
    ) -> None:
        time_is_over()
        assert frontend.get(f"reservations/{made['reservation']['id']}").json()["reservation"]["change"] is None
        assert frontend.get(f"slots/{there.pk}").json()["available"] == 3
        registry.run("expire_reservations")
        asked.refresh_from_db()
        assert (asked.status, places(here, there)) == ("expired", [1, 0])
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        settled()

    def test_that_ran_out_makes_way(self, frontend: Frontend, asked: Change, there: Slot) -> None:
        Slot.objects.filter(pk=there.pk).update(capacity=1)
        assert frontend.reserve(there).json()["error"]["code"] == "slot_sold_out"
        time_is_over()
        assert frontend.reserve(there).status_code == 201
        settled()

    def test_is_given_up(
        self, frontend: Frontend, made: dict[str, Any], asked: Change, here: Slot, there: Slot
    ) -> None:
        path = f"reservations/{made['reservation']['id']}/changes/{asked.pk}/cancel"
        assert [frontend.post(path).status_code for _ in range(2)] == [200, 200]
        assert (places(here, there), standing(frontend, made)) == ([1, 0], ("paid", 4500, 4500, 0))
        settled()

    def test_ends_with_its_reservation(
        self, frontend: Frontend, made: dict[str, Any], asked: Change, here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        cancelled = frontend.post(f"reservations/{made['reservation']['id']}/cancel", {"expected_refund": 4500})
        assert cancelled.status_code == 200
        assert places(here, there) == [0, 0]
        work(sandbox)
        assert standing(frontend, made) == ("cancelled", 0, 0, 0)
        settled()

    def test_ends_when_all_goes_back(
        self, frontend: Frontend, made: dict[str, Any], asked: Change, here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        assert frontend.post("refunds", {"payment_id": made["payment"]["id"]}).status_code in (201, 202)
        assert places(here, there) == [1, 0]
        work(sandbox)
        assert (places(here, there), standing(frontend, made)) == ([0, 0], ("refunded", 0, 0, 0))
        settled()

    def test_is_one_at_a_time(self, frontend: Frontend, made: dict[str, Any], asked: Change, there: Slot) -> None:
        again = change(frontend, made, units=[{"unit": "adult", "quantity": 1}])
        assert (again.status_code, again.json()["error"]["code"]) == (409, "change_in_progress")
        Reservation.objects.get()
        fewer = frontend.post(
            f"reservations/{made['reservation']['id']}/cancel", {"units": [{"unit": "adult", "quantity": 1}]}
        )
        assert fewer.status_code in (200, 409)

    def test_is_paid_exactly(self, frontend: Frontend, made: dict[str, Any], asked: Change) -> None:
        pay = {**CARD, "change_id": str(asked.pk), "amount": 2999}
        refused = frontend.post(f"reservations/{made['reservation']['id']}/payments", pay)
        assert (refused.status_code, refused.json()["error"]["param"]) == (422, "amount")

    def test_held_too_late_is_let_go(
        self, frontend: Frontend, made: dict[str, Any], asked: Change, here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        sandbox.fault("POST /v1/payment_intents", "drop_answer")
        pay = {**CARD, "change_id": str(asked.pk)}
        frontend.post(f"reservations/{made['reservation']['id']}/payments", pay)
        time_is_over()
        stripe_events.deliver_all(sandbox)
        registry.run("expire_reservations")
        for _ in range(3):
            work(sandbox)
        assert (places(here, there), standing(frontend, made)) == ([1, 0], ("paid", 4500, 4500, 0))
        settled()

    def test_captured_too_late_goes_back(
        self, frontend: Frontend, made: dict[str, Any], asked: Change, here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        pay = {"provider": "stripe", "change_id": str(asked.pk)}
        begun = frontend.post(f"reservations/{made['reservation']['id']}/payments", pay)
        assert begun.status_code == 201
        promises.hold()
        intent = Payment.objects.get(managed_part=asked.pk).provider_ref
        sandbox.pay(intent)
        time_is_over()
        registry.run("expire_reservations")
        for _ in range(3):
            work(sandbox)
        assert (places(here, there), standing(frontend, made)) == ([1, 0], ("paid", 4500, 4500, 0))
        settled()

    def test_captured_past_its_time_ends_before_the_sweep_comes(
        self, frontend: Frontend, made: dict[str, Any], asked: Change, here: Slot, there: Slot, sandbox: Sandbox
    ) -> None:
        pay = {"provider": "stripe", "change_id": str(asked.pk)}
        frontend.post(f"reservations/{made['reservation']['id']}/payments", pay)
        sandbox.pay(Payment.objects.get(managed_part=asked.pk).provider_ref)
        time_is_over()
        stripe_events.deliver_all(sandbox)
        asked.refresh_from_db()
        assert (asked.status, places(here, there)) == ("expired", [1, 0])
        work(sandbox)
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        settled()
