"""A deposit first, the balance later (money.md S2, S4, S8)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from booking.models import Reservation
from catalogue.models import Slot
from common import database
from notifications.models import Mail
from payments.models import Payment
from sweeps import registry
from tests.support import fixed_point, promises, stripe_events
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import standing

pytestmark = pytest.mark.django_db(transaction=True)


def starting(ahead: timedelta, plan: str = "30 %, balance 14 days before") -> Slot:
    at = database.now() + ahead
    return SlotFactory.create(starts_at=at, ends_at=at + timedelta(hours=2), activity__plan=plan)


@pytest.fixture
def slot() -> Slot:
    return starting(timedelta(days=60))


@pytest.fixture
def frontend(slot: Slot, sandbox: Sandbox) -> Frontend:
    return Frontend.of(slot)


def dues(frontend: Frontend, made: Any) -> list[tuple[str, int, str]]:
    found = frontend.get(f"reservations/{made['reservation']['id']}").json()["reservation"]
    return [(due["purpose"], due["amount"], due["status"]) for due in found["dues"]]


def pay(frontend: Frontend, made: Any, **body: Any) -> Any:
    wanted = {"provider": "stripe", "payment_method_id": "pm_card_visa", **body}
    return frontend.post(f"reservations/{made['reservation']['id']}/payments", wanted)


def with_deposit(frontend: Frontend, slot: Slot, sandbox: Sandbox) -> Any:
    """Sell a place for 45.00 USD, and take the 13.50 of its deposit."""
    made = frontend.reserve(slot, plan="deposit").json()
    frontend.post(f"reservations/{made['reservation']['id']}/confirm")
    work(sandbox)
    return made


class TestDeposit:
    def test_is_held_confirmed_and_leaves_the_balance(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """S2."""
        made = frontend.reserve(slot, plan="deposit").json()
        assert (made["reservation"]["status"], made["payment"]["amount"]) == ("pending", 1350)
        assert dues(frontend, made) == [("deposit", 1350, "secured"), ("balance", 3150, "open")]
        frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert dues(frontend, made) == [("deposit", 1350, "secured"), ("balance", 3150, "open")]
        work(sandbox)
        assert standing(frontend, made) == ("confirmed", 4500, 1350, 3150)
        assert dues(frontend, made) == [("deposit", 1350, "paid"), ("balance", 3150, "open")]
        row = Reservation.objects.get()
        assert row.next_due_at == slot.starts_at - timedelta(days=14)
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE booking_reservation SET status = 'paid', changed_at = now(), changed_by = 'me',"
                " changed_because = 'because'"
            )
        promises.hold()
        fixed_point.is_reached()

    def test_balance_makes_it_paid(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """S4: and an old decline changes nothing."""
        made = with_deposit(frontend, slot, sandbox)
        assert pay(frontend, made).json()["error"]["code"] == "nothing_due"  # not yet
        declined = pay(frontend, made, amount=3150, payment_method_id="pm_card_visa_chargeDeclined")
        assert declined.status_code == 422
        assert pay(frontend, made, amount=3150).status_code == 201
        work(sandbox)
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        assert Reservation.objects.get().next_due_at is None
        promises.hold()
        fixed_point.is_reached()

    def test_balance_in_two_tabs_is_one_attempt(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """S8."""
        made = with_deposit(frontend, slot, sandbox)
        link = {"provider": "stripe", "amount": 3150}
        path = f"reservations/{made['reservation']['id']}/payments"
        tabs = [frontend.post(path, link).json()["payment"] for _ in range(2)]
        assert tabs[0] == tabs[1]
        sandbox.pay(tabs[0]["provider_ref"])
        work(sandbox)
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        assert sum(intent["amount_received"] for intent in sandbox.payment_intents()) == 4500

    def test_balance_is_due_at_its_time(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = with_deposit(frontend, slot, sandbox)
        Reservation.objects.update(
            schedule=[{"by": None, "target": 1350}, {"by": "2026-01-01T00:00:00Z", "target": None}]
        )
        assert pay(frontend, made).json()["payment"]["amount"] == 3150

    def test_by_a_card_that_charges_at_once_is_not_lost(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """Money that comes into a hold confirms it, so that a paid deposit does not expire."""
        made = frontend.reserve(slot, plan="deposit", capture_method="automatic").json()
        work(sandbox)
        assert standing(frontend, made) == ("confirmed", 4500, 1350, 3150)
        run_out(made["reservation"]["id"])
        assert standing(frontend, made)[0] == "confirmed"
        promises.hold()

    def test_refund_at_the_dashboard_is_goodwill(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """S11: paid by two payments, the first is refunded."""
        made = with_deposit(frontend, slot, sandbox)
        pay(frontend, made, amount=3150)
        work(sandbox)
        first = Payment.objects.get(amount=1350)
        frontend.post("refunds", {"payment_id": str(first.pk)})
        work(sandbox)
        assert standing(frontend, made) == ("paid", 3150, 3150, 0)
        promises.hold()
        fixed_point.is_reached()


class TestMails:
    def test_tell_of_the_booking_once_and_remind_of_the_balance(
        self, frontend: Frontend, slot: Slot, sandbox: Sandbox
    ) -> None:
        made = with_deposit(frontend, slot, sandbox)
        for _ in range(2):
            registry.run("send_mails")
        assert list(Mail.objects.values_list("kind", flat=True)) == ["confirmed"]
        Reservation.objects.update(next_due_at=database.now() + timedelta(days=6))
        for _ in range(2):
            registry.run("send_mails")
        reminder = Mail.objects.get(kind="due")
        assert reminder.facts["amount"] == 3150
        Reservation.objects.update(next_due_at=database.now() - timedelta(hours=1))
        for _ in range(2):
            registry.run("send_mails")
        assert Mail.objects.filter(kind="overdue").count() == 1
        pay(frontend, made, amount=3150)
        work(sandbox)
        registry.run("send_mails")
        assert sorted(Mail.objects.values_list("kind", flat=True)) == ["confirmed", "due", "overdue", "paid"]

    def test_are_not_written_while_a_payment_is_in_progress(
        self, frontend: Frontend, slot: Slot, sandbox: Sandbox
    ) -> None:
        made = with_deposit(frontend, slot, sandbox)
        Reservation.objects.update(next_due_at=database.now() + timedelta(days=6))
        frontend.post(f"reservations/{made['reservation']['id']}/payments", {"provider": "stripe", "amount": 3150})
        registry.run("send_mails")
        assert not Mail.objects.filter(kind="due").exists()


class TestPlans:
    def test_near_departure_is_paid_in_full(self, sandbox: Sandbox) -> None:
        slot = starting(timedelta(days=13))
        made = Frontend.of(slot).reserve(slot, plan="deposit").json()
        assert made["payment"]["amount"] == 4500
        assert dues(Frontend.of(slot), made) == [("payment", 4500, "secured")]

    def test_amount_for_each_unit(self, sandbox: Sandbox) -> None:
        slot = starting(timedelta(days=60), "10.00 per unit, balance 7 days before")
        made = Frontend.of(slot).reserve(slot, adults=3, plan="deposit").json()
        assert made["payment"]["amount"] == 3000

    def test_there_is_none(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        refused = Frontend.of(slot).reserve(slot, plan="deposit")
        assert (refused.status_code, refused.json()["error"]["param"]) == (422, "plan")
        assert Reservation.objects.count() == 0
