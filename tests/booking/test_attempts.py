"""Further attempts to pay for a reservation: another card, a link in two tabs, one that is given up for another."""

from typing import Any

import pytest

from booking import execution, expiring
from booking.models import Reservation
from catalogue.models import Slot
from payments.models import Payment
from tests.support import dashboard, fixed_point, promises, stripe_events
from tests.support.aging import end_leases, run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import refund, sell, standing

pytestmark = pytest.mark.django_db(transaction=True)

DECLINED, GOOD, OTHER = "pm_card_visa_chargeDeclined", "pm_card_visa", "pm_card_mastercard"


@pytest.fixture
def slot() -> Slot:
    return SlotFactory.create()


@pytest.fixture
def frontend(slot: Slot, sandbox: Sandbox) -> Frontend:
    return Frontend.of(slot)


def pay(frontend: Frontend, made: dict[str, Any], card: str | None = GOOD, **more: Any) -> Any:
    body = {"provider": "stripe", **({"payment_method_id": card} if card else {}), **more}
    return frontend.post(f"reservations/{made['reservation']['id']}/payments", body)


def reserved(slot: Slot) -> int:
    slot.refresh_from_db()
    return slot.reserved


def owe_a_part(frontend: Frontend, slot: Slot, sandbox: Sandbox) -> dict[str, Any]:
    """Sell a place for 45.00 USD, and take 40.00 of them."""
    made = frontend.reserve(slot).json()
    dashboard.capture(sandbox, made["payment"]["provider_ref"], 4000)
    stripe_events.deliver_all(sandbox)
    assert standing(frontend, made) == ("confirmed", 4500, 4000, 500)
    return dict(made)


class TestDeclined:
    """A declined card (S5)."""

    def test_leaves_a_hold_that_keeps_its_place(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot, card=DECLINED, on_decline="keep")
        assert made.status_code == 201
        assert made.json()["payment"]["failure"]["code"] == "card_declined"
        assert standing(frontend, made.json())[0] == "awaiting_payment"
        assert reserved(slot) == 1
        again = pay(frontend, made.json())
        assert again.status_code == 201
        assert again.json()["reservation"]["status"] == "pending"
        assert [payment["status"] for payment in again.json()["payments"]] == ["failed", "on_hold"]
        assert again.json()["payment"] == again.json()["payments"][1]
        assert reserved(slot) == 1
        frontend.post(f"reservations/{made.json()['reservation']['id']}/confirm")
        work(sandbox)
        assert standing(frontend, made.json()) == ("paid", 4500, 4500, 0)
        promises.hold()
        fixed_point.is_reached()

    def test_ends_a_hold_that_does_not(self, frontend: Frontend, slot: Slot) -> None:
        assert frontend.reserve(slot, card=DECLINED).status_code == 422
        assert Reservation.objects.get().status == "failed"
        assert reserved(slot) == 0

    def test_again_leaves_it_still(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot, card=DECLINED, on_decline="keep").json()
        again = pay(frontend, made, DECLINED)
        assert (again.status_code, again.json()["error"]["code"]) == (422, "card_declined")
        assert standing(frontend, made)[0] == "awaiting_payment"
        assert Payment.objects.filter(status="failed").count() == 2
        promises.hold()

    def test_hold_still_runs_out(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot, card=DECLINED, on_decline="keep").json()
        run_out(made["reservation"]["id"])
        assert pay(frontend, made).json()["error"]["code"] == "hold_expired"
        assert expiring.expire_due() == 1
        work(sandbox)
        assert standing(frontend, made)[0] == "expired"
        assert reserved(slot) == 0
        promises.hold()
        fixed_point.is_reached()


class TestBalance:
    """What is left to pay."""

    def test_is_paid_by_another_card(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = owe_a_part(frontend, slot, sandbox)
        again = pay(frontend, made, OTHER)
        assert (again.status_code, again.json()["payment"]["amount"]) == (201, 500)
        work(sandbox)
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        assert Payment.objects.get(amount=500).capture_method == "automatic"
        promises.hold()
        fixed_point.is_reached()

    def test_is_paid_in_parts(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = owe_a_part(frontend, slot, sandbox)
        assert pay(frontend, made, amount=501).json()["error"]["code"] == "invalid_amount"
        pay(frontend, made, amount=200)
        work(sandbox)
        assert standing(frontend, made) == ("confirmed", 4500, 4200, 300)
        pay(frontend, made)
        work(sandbox)
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        assert Reservation.objects.get().attempts == 3
        promises.hold()

    def test_stays_when_the_card_is_declined(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = owe_a_part(frontend, slot, sandbox)
        assert pay(frontend, made, DECLINED).status_code == 422
        work(sandbox)
        assert standing(frontend, made) == ("confirmed", 4500, 4000, 500)
        assert frontend.get(f"reservations/{made['reservation']['id']}").json()["payment"]["status"] == "succeeded"
        assert reserved(slot) == 1

    def test_in_two_tabs_is_charged_once(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """S8: the second tab gets the first one's attempt."""
        made = owe_a_part(frontend, slot, sandbox)
        first, second = (pay(frontend, made, None) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 200)
        assert second.json()["payment"]["client_secret"] == first.json()["payment"]["client_secret"]
        sandbox.pay(first.json()["payment"]["provider_ref"])
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        assert pay(frontend, made).json()["error"]["code"] == "nothing_due"
        promises.hold()

    def test_that_is_paid_otherwise_closes_the_attempt(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = owe_a_part(frontend, slot, sandbox)
        link = pay(frontend, made, None).json()
        assert refund(frontend, made, amount=100).status_code == 201  # goodwill: 400 are left to pay, it lives
        assert not Payment.objects.get(amount=500).commands.filter(kind="cancel").exists()
        sandbox.pay(link["payment"]["provider_ref"])
        work(sandbox)
        assert standing(frontend, made)[0] == "paid"
        fixed_point.is_reached()

    def test_refund_of_one_payment_leaves_the_other(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """S11: the same event thrice is one goodwill."""
        made = owe_a_part(frontend, slot, sandbox)
        pay(frontend, made)
        work(sandbox)
        dashboard.refund(sandbox, made["payment"]["provider_ref"], 4000)
        for _ in range(3):
            stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("paid", 500, 500, 0)
        assert reserved(slot) == 1
        promises.hold()
        fixed_point.is_reached()


class TestReplacing:
    """An attempt that is given up for another (S6)."""

    def test_is_refused_while_another_lives(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot, card=None).json()
        refused = pay(frontend, made)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "payment_in_progress")
        assert refused.headers["Retry-After"] == "5"
        assert Payment.objects.count() == 1

    def test_closes_the_old_one_first(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot, card=None).json()
        again = pay(frontend, made, replace=True)
        assert (again.status_code, again.json()["reservation"]["status"]) == (201, "pending")
        assert [payment["status"] for payment in again.json()["payments"]] == ["canceled", "on_hold"]
        assert reserved(slot) == 1
        work(sandbox)
        promises.hold()
        fixed_point.is_reached()

    def test_waits_for_one_of_unknown_outcome(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        sandbox.fault("POST /v1/payment_intents", "error_after")  # it did hold, and the answer is lost
        made = frontend.reserve(slot).json()
        assert pay(frontend, made, OTHER).json()["error"]["code"] == "payment_in_progress"
        assert pay(frontend, made, OTHER, replace=True).json()["error"]["code"] == "payment_in_progress"
        end_leases()
        work(sandbox)
        work(sandbox)
        assert standing(frontend, made)[0] == "awaiting_payment"
        again = pay(frontend, made, OTHER, replace=True)
        assert (again.status_code, again.json()["reservation"]["status"]) == (201, "pending")
        holds = [intent for intent in sandbox.state()["payment_intents"] if intent["status"] == "requires_capture"]
        assert len(holds) == 1
        promises.hold()
        fixed_point.is_reached()

    def test_of_a_hold_that_is_held_is_not_due(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot).json()
        assert pay(frontend, made, OTHER, replace=True).json()["error"]["code"] == "nothing_due"

    def test_that_runs_out_is_closed_once(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot, card=None).json()
        sandbox.fault("POST /v1/payment_intents/*/cancel", "error_before")
        assert pay(frontend, made, replace=True).status_code == 409
        run_out(made["reservation"]["id"])
        assert expiring.expire_due() == 1
        end_leases()
        work(sandbox)
        assert Payment.objects.get().status == "canceled"
        promises.hold()
        fixed_point.is_reached()

    def test_lands_nevertheless(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """The guest pays in the old tab before its end arrives: that is the money, and no other is asked for."""
        made = frontend.reserve(slot, card=None, capture_method="automatic").json()
        sandbox.fault("POST /v1/payment_intents/*/cancel", "error_before")
        assert pay(frontend, made, replace=True).status_code == 409
        sandbox.pay(made["payment"]["provider_ref"])
        end_leases()
        work(sandbox)
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        assert pay(frontend, made).json()["error"]["code"] == "nothing_due"
        promises.hold()
        fixed_point.is_reached()


class TestRefusals:
    def test_of_what_is_over(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot).json()
        frontend.post(f"reservations/{made['reservation']['id']}/cancel")
        assert pay(frontend, made).json()["error"]["code"] == "invalid_state"

    def test_of_what_is_paid_or_being_captured(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot).json()
        frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert pay(frontend, made).json()["error"]["code"] == "nothing_due"
        assert pay(frontend, sell(frontend, slot, sandbox)).json()["error"]["code"] == "nothing_due"

    def test_of_another_operators(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot, card=None).json()
        other = Frontend.of(SlotFactory.create())
        assert pay(other, made).status_code == 404

    def test_of_an_unknown_field(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot, card=None).json()
        assert pay(frontend, made, currency="USD").json()["error"]["code"] == "unknown_field"


class TestResuming:
    def test_goes_on_where_it_stopped(
        self, frontend: Frontend, slot: Slot, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = frontend.reserve(slot, card=DECLINED, on_decline="keep").json()
        body = {"provider": "stripe", "payment_method_id": GOOD}
        path = f"reservations/{made['reservation']['id']}/payments"
        with monkeypatch.context() as patch:
            patch.setattr(execution, "execute_claimed", _die)
            assert frontend.post(path, body, key="one").status_code == 500
        end_leases()
        again = frontend.post(path, body, key="one")
        assert (again.status_code, again.json()["reservation"]["status"]) == (201, "pending")
        assert Payment.objects.count() == 2
        promises.hold()


def _die(*_: Any) -> None:
    raise RuntimeError("killed")
