"""Money beside cards: cash for a rest, extras and discounts; sales on account and for nothing."""

from typing import Any

import pytest

from booking import adjusting, expiring
from booking.models import Adjustment, Receipt, Reservation
from booking.states import AdjustmentKind
from catalogue.models import Rate, Slot
from common import ids
from common.states import InvalidStateError
from payments.models import Payment
from tenants.models import Scope
from tests.support import dashboard, fixed_point, promises, stripe_events
from tests.support.aging import end_leases, run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory, make_client
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import refund, sell, standing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot() -> Slot:
    return SlotFactory.create()


@pytest.fixture
def frontend(slot: Slot, sandbox: Sandbox) -> Frontend:
    client, key = make_client(slot.activity.operator, scopes=list(Scope))
    return Frontend(key, client)


def do(frontend: Frontend, made: Any, what: str, **body: Any) -> Any:
    return frontend.post(f"reservations/{made['reservation']['id']}/{what}", body)


def take(frontend: Frontend, made: Any, method: str = "cash", **body: Any) -> Any:
    return do(frontend, made, "receipts", method=method, **body)


def adjust(frontend: Frontend, made: Any, kind: str, amount: int) -> Any:
    return do(frontend, made, "adjustments", kind=kind, amount=amount, reason="asked for")


def reserved(slot: Slot) -> int:
    slot.refresh_from_db()
    return slot.reserved


def settled() -> None:
    promises.hold()
    fixed_point.is_reached()


class TestBesideCards:
    def test_refund_at_the_dashboard_leaves_the_place(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """S13: a part by card and the rest in cash; the card's is refunded."""
        made = frontend.reserve(slot).json()
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 1000)
        stripe_events.deliver_all(sandbox)
        take(frontend, made)
        assert standing(frontend, made) == ("confirmed", 4500, 1000, 0)
        dashboard.refund(sandbox, made["payment"]["provider_ref"], 1000)
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("confirmed", 3500, 0, 0)
        assert reserved(slot) == 1
        settled()

    def test_charge_that_lands_after_cash_goes_back(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """S22: the guest's link is being paid while a cashier takes the same in cash."""
        made = frontend.reserve(slot).json()
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 1000)
        stripe_events.deliver_all(sandbox)
        link = do(frontend, made, "payments", provider="stripe").json()
        sandbox.fault("POST /v1/payment_intents/*/cancel", "error_before")
        assert take(frontend, made).status_code == 201
        assert take(frontend, made).json()["error"]["code"] == "nothing_due"  # a second cashier
        assert Payment.objects.get(amount=3500).commands.filter(kind="cancel").exists()
        sandbox.pay(link["payment"]["provider_ref"])
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made)[:3] == ("paid", 4500, 4500)
        end_leases()
        work(sandbox)
        work(sandbox)
        assert standing(frontend, made) == ("confirmed", 4500, 1000, 0)
        assert Payment.objects.get(amount=3500).amount_refunded == 3500
        settled()

    def test_extra_and_its_withdrawal(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """S21: an extra whose card is declined three times, and that is taken back."""
        made = sell(frontend, slot, sandbox)
        paid_at = Reservation.objects.get().paid_at
        assert adjust(frontend, made, "extra", 2000).status_code == 201
        assert standing(frontend, made) == ("confirmed", 6500, 4500, 2000)
        for _ in range(3):
            declined = do(
                frontend, made, "payments", provider="stripe", payment_method_id="pm_card_visa_chargeDeclined"
            )
            assert declined.status_code == 422
        assert standing(frontend, made) == ("confirmed", 6500, 4500, 2000)
        extra = Adjustment.objects.get()
        adjusting.withdraw(adjustment_id=extra.pk, operation_id=ids.new_id(), actor="user:me", reason="not wanted")
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        assert Reservation.objects.get().paid_at == paid_at
        with pytest.raises(InvalidStateError):
            adjusting.withdraw(adjustment_id=extra.pk, operation_id=ids.new_id(), actor="user:me", reason="again")
        assert reserved(slot) == 1
        settled()

    def test_discount_gives_back(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        adjust(frontend, made, "discount", 500)
        work(sandbox)
        assert standing(frontend, made) == ("paid", 4000, 4000, 0)
        adjust(frontend, made, "discount", 4000)
        work(sandbox)
        assert standing(frontend, made) == ("confirmed", 0, 0, 0)  # a lower price ends nothing
        assert reserved(slot) == 1
        refused = adjust(frontend, made, "discount", 1)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_amount")
        settled()

    def test_goodwill_for_a_part_makes_it_paid(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """S10: five were not captured, and are given up."""
        made = frontend.reserve(slot).json()
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 4000)
        stripe_events.deliver_all(sandbox)
        answer = adjust(frontend, made, "goodwill", 500).json()["reservation"]
        assert (answer["status"], answer["amount"], answer["amount_owed"]) == ("paid", 4500, 4000)
        settled()

    def test_price_of_a_hold_is_frozen_while_it_is_paid(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot).json()
        assert adjust(frontend, made, "extra", 100).json()["error"]["code"] == "payment_in_progress"
        assert not Adjustment.objects.exists()

    def test_nothing_is_sold_on_what_is_being_refunded(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        refund(frontend, made)
        assert adjust(frontend, made, "extra", 100).json()["error"]["code"] == "being_refunded"


class TestFree:
    """Nothing is owed, so nobody is asked for money (S24)."""

    def test_from_the_start(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        Rate.objects.create(activity=slot.activity, unit="infant", name="Infant", amount=0)
        made = frontend.reserve(slot, units=[{"unit": "infant", "quantity": 1}])
        assert (made.status_code, made.json()["reservation"]["status"]) == (201, "confirmed")
        assert made.json()["payment"] is None
        assert sandbox.payment_intents() == []
        again = frontend.get(f"reservations/{made.json()['reservation']['id']}").json()
        assert again == made.json()
        settled()

    def test_by_a_discount(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot).json()
        assert adjust(frontend, made, "discount", 4501).status_code == 422
        adjust(frontend, made, "discount", 4500)
        assert standing(frontend, made) == ("confirmed", 0, 0, 0)
        settled()


class TestAccount:
    """Sold on a reseller's account (S23)."""

    def test_owes_the_guest_nothing(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.on_arrival(slot, pay_by="account").json()
        assert standing(frontend, made) == ("confirmed", 4500, 0, 0)
        assert made["reservation"]["amount_collected"] == 4500
        adjust(frontend, made, "extra", 2000)
        assert standing(frontend, made)[3] == 2000
        do(frontend, made, "payments", provider="stripe", payment_method_id="pm_card_visa")
        work(sandbox)
        assert standing(frontend, made) == ("confirmed", 6500, 2000, 0)
        settled()

    def test_hold_is_confirmed_without_a_provider(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot, pay_by="account", hold=True).json()
        assert standing(frontend, made) == ("pending", 4500, 0, 4500)
        for _ in range(2):
            assert do(frontend, made, "confirm").status_code == 200
        assert standing(frontend, made) == ("confirmed", 4500, 0, 0)
        assert Receipt.objects.get().method == "account"
        settled()

    def test_hold_is_confirmed_though_a_card_was_declined(
        self, frontend: Frontend, slot: Slot, sandbox: Sandbox
    ) -> None:
        made = frontend.on_arrival(slot, hold=True).json()
        declined = do(
            frontend, made, "payments", provider="stripe", amount=4500, payment_method_id="pm_card_visa_chargeDeclined"
        )
        assert declined.status_code == 422
        assert standing(frontend, made)[0] == "pending"
        assert do(frontend, made, "confirm").status_code == 200
        assert standing(frontend, made) == ("confirmed", 4500, 0, 4500)
        assert reserved(slot) == 1
        settled()

    def test_hold_left_alone_expires(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot, pay_by="account", hold=True).json()
        run_out(made["reservation"]["id"])
        assert expiring.expire_due() == 1
        assert standing(frontend, made)[0] == "expired"
        assert reserved(slot) == 0
        settled()

    def test_hold_can_be_cancelled(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot, hold=True).json()
        assert do(frontend, made, "cancel").status_code == 200
        assert reserved(slot) == 0
        settled()


def test_kinds_by_hand_are_of_the_model() -> None:
    assert set(adjusting.BY_HAND) < set(AdjustmentKind)
