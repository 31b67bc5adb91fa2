"""What is sold is cancelled on its terms: what is kept, what goes back, and who decides (money.md S16, S18, S25)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from booking import rescheduling
from booking.models import Adjustment, Receipt, Reservation
from catalogue.models import Slot
from common import database
from notifications.models import Mail
from payments.models import Payment
from reconciliation import discrepancy_rules
from reconciliation.models import Discrepancy
from sweeps import registry
from tenants.models import Scope
from tests.support import fixed_point, promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import SlotFactory, make_client
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import sell, standing

pytestmark = pytest.mark.django_db(transaction=True)

HALF = timedelta(seconds=30)
TERMS = "until 48 h: keep 0 %\nuntil 0 h: keep 20 %"


@pytest.fixture
def slot() -> Slot:
    return starting(timedelta(hours=72))


@pytest.fixture
def frontend(slot: Slot, sandbox: Sandbox) -> Frontend:
    return Frontend.of(slot)


def starting(ahead: timedelta, terms: str = TERMS, **more: Any) -> Slot:
    at = database.now() + ahead
    return SlotFactory.create(starts_at=at, ends_at=at + timedelta(hours=2), activity__terms=terms, **more)


def start_in(made: Any, ahead: timedelta) -> None:
    """Let the departure of a reservation be nearer, as if time had passed."""
    at = database.now() + ahead
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE booking_reservation DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE catalogue_slot DISABLE TRIGGER USER")
        Reservation.objects.filter(pk=made["reservation"]["id"]).update(starts_at=at, ends_at=at + timedelta(hours=2))
        Slot.objects.filter(pk=made["reservation"]["slot_id"]).update(starts_at=at, ends_at=at + timedelta(hours=2))
        cursor.execute("ALTER TABLE booking_reservation ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE catalogue_slot ENABLE TRIGGER USER")


def preview(frontend: Frontend, made: Any) -> tuple[int, int]:
    answer = frontend.get(f"reservations/{made['reservation']['id']}/cancellation").json()
    return answer["fee"], answer["refund"]


def cancel(frontend: Frontend, made: Any, **body: Any) -> Any:
    return frontend.post(f"reservations/{made['reservation']['id']}/cancel", body)


def reserved(slot: Slot) -> int:
    slot.refresh_from_db()
    return slot.reserved


def settled() -> None:
    promises.hold()
    fixed_point.is_reached()


class TestTerms:
    def test_are_asked_at_the_moment_of_the_cancellation(
        self, frontend: Frontend, slot: Slot, sandbox: Sandbox
    ) -> None:
        """S16: told before the limit, cancelled after it."""
        made = sell(frontend, slot, sandbox)
        start_in(made, timedelta(hours=48) + HALF)
        assert preview(frontend, made) == (0, 4500)
        start_in(made, timedelta(hours=48) - HALF)
        late = cancel(frontend, made, expected_refund=4500)
        assert (late.status_code, late.json()["error"]["code"]) == (409, "quote_changed")
        assert late.json()["error"]["message"] == "The refund is 36.00 USD by now."
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        assert cancel(frontend, made, expected_refund=3600).status_code == 200
        assert standing(frontend, made) == ("cancelled", 900, 4500, 0)
        assert reserved(slot) == 0
        work(sandbox)
        assert standing(frontend, made) == ("cancelled", 900, 900, 0)
        assert Payment.objects.get().amount_refunded == 3600
        settled()

    def test_nobody_who_was_not_told_cancels_what_comes_back(
        self, frontend: Frontend, slot: Slot, sandbox: Sandbox
    ) -> None:
        made = sell(frontend, slot, sandbox)
        assert cancel(frontend, made).json()["error"]["code"] == "quote_changed"

    def test_keep_everything_after_the_last_rule(self, frontend: Frontend, sandbox: Sandbox) -> None:
        slot = starting(timedelta(hours=72), "until 48 h: keep 10.00 per unit")
        made = sell(Frontend.of(slot), slot, sandbox)
        assert preview(Frontend.of(slot), made) == (1000, 3500)
        start_in(made, timedelta(hours=47))
        assert preview(Frontend.of(slot), made) == (4500, 0)

    def test_without_any_nothing_sold_is_cancelled_by_a_guest(self, sandbox: Sandbox) -> None:
        slot = starting(timedelta(hours=72), "")
        frontend = Frontend.of(slot)
        made = sell(frontend, slot, sandbox)
        assert cancel(frontend, made).json()["error"]["code"] == "invalid_state"
        answer = frontend.get(f"reservations/{made['reservation']['id']}/cancellation")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "invalid_state")
        assert reserved(slot) == 1

    def test_a_move_never_betters_them(self, sandbox: Sandbox) -> None:
        """S18: free until 48 h, then everything; moved thirty days on at 20 h."""
        slot = starting(timedelta(hours=72), "until 48 h: keep 0 %")
        frontend = Frontend.of(slot)
        made = sell(frontend, slot, sandbox)
        start_in(made, timedelta(hours=20))
        assert preview(frontend, made) == (4500, 0)
        later = slot.starts_at + timedelta(days=30)
        other = SlotFactory.create(activity=slot.activity, starts_at=later, ends_at=later + timedelta(hours=2))
        rescheduling.reschedule(
            operator=slot.activity.operator, reservation_id=Reservation.objects.get().pk, slot_id=other.pk,
            actor="user:me", reason="asked for",
        )  # fmt: skip
        assert preview(frontend, made) == (4500, 0)
        assert cancel(frontend, made, expected_refund=0).status_code == 200
        work(sandbox)
        assert standing(frontend, made) == ("cancelled", 4500, 4500, 0)
        settled()

    def test_are_those_of_the_sale(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        slot.activity.terms = "until 0 h: keep 100 %"
        slot.activity.save()
        assert preview(frontend, made) == (0, 4500)
        found = frontend.get(f"reservations/{made['reservation']['id']}").json()["reservation"]
        assert found["terms"] == ["until 48 h: keep 0 %", "until 0 h: keep 20 %"]

    def test_hold_is_cancelled_for_nothing(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot).json()
        assert preview(frontend, made) == (0, 0)
        assert cancel(frontend, made).status_code == 200
        work(sandbox)
        assert standing(frontend, made) == ("cancelled", 0, 0, 0)
        settled()


class TestWho:
    def test_operator_keeps_nothing(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        start_in(made, timedelta(hours=1))
        assert cancel(frontend, made, by="operator", expected_refund=4500).status_code == 200
        work(sandbox)
        assert standing(frontend, made) == ("cancelled", 0, 0, 0)
        settled()

    def test_person_states_a_fee(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        more = cancel(frontend, made, fee=4501, expected_refund=0)
        assert (more.status_code, more.json()["error"]["message"]) == (422, "At most 45.00 USD can be kept.")
        assert cancel(frontend, made, fee=500, expected_refund=4000).status_code == 200
        work(sandbox)
        assert standing(frontend, made) == ("cancelled", 500, 500, 0)
        settled()

    def test_needs_a_scope(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        shop = Frontend(make_client(slot.activity.operator, scopes=[Scope.READ, Scope.BOOK])[1])
        for body in ({"fee": 0}, {"by": "operator"}):
            assert cancel(shop, made, **body).json()["error"]["code"] == "insufficient_scope"
        assert standing(frontend, made)[0] == "paid"


class TestMoney:
    def test_kept_is_never_more_than_there_is(self, frontend: Frontend, slot: Slot) -> None:
        """Nothing was paid, so nothing is kept: a fee is never asked for afterwards."""
        made = frontend.on_arrival(slot).json()
        start_in(made, timedelta(hours=1))
        assert preview(frontend, made) == (0, 0)
        assert cancel(frontend, made).status_code == 200
        assert standing(frontend, made) == ("cancelled", 0, 0, 0)
        settled()

    def test_what_is_being_captured_counts(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot).json()
        start_in(made, timedelta(hours=1))
        frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert preview(frontend, made) == (900, 3600)
        assert cancel(frontend, made, expected_refund=3600).status_code == 200
        assert standing(frontend, made) == ("cancelled", 900, 0, 900)
        fixed_point.is_reached()
        work(sandbox)
        work(sandbox)
        assert standing(frontend, made) == ("cancelled", 900, 900, 0)
        settled()

    def test_capture_that_is_lost_lowers_what_is_kept(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot).json()
        start_in(made, timedelta(hours=1))
        sandbox.fault("POST /v1/payment_intents/*/capture", "error_before")
        frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert cancel(frontend, made, expected_refund=3600).status_code == 200
        sandbox.expire(made["payment"]["provider_ref"])
        end_leases()
        work(sandbox)
        assert standing(frontend, made) == ("cancelled", 0, 0, 0)
        assert Adjustment.objects.filter(kind="end").count() == 2
        settled()

    def test_cash_is_given_back_by_a_person(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot).json()
        frontend.post(f"reservations/{made['reservation']['id']}/receipts", {"method": "cash"})
        assert cancel(frontend, made, expected_refund=4500).status_code == 200
        assert standing(frontend, made) == ("cancelled", 0, 0, -4500)
        discrepancy_rules.apply()
        assert Discrepancy.objects.get().kind == "payout"

    def test_account_gives_back_what_is_not_kept(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot, pay_by="account").json()
        start_in(made, timedelta(hours=1))
        answer = frontend.get(f"reservations/{made['reservation']['id']}/cancellation").json()
        assert (answer["fee"], answer["refund"], answer["on_account"]) == (900, 0, 3600)
        assert cancel(frontend, made, expected_refund=0).status_code == 200
        assert standing(frontend, made) == ("cancelled", 900, 0, 0)
        assert sorted(Receipt.objects.values_list("amount", flat=True)) == [-3600, 4500]
        settled()

    def test_late_money_of_a_cancelled_one_goes_back(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot, card=None, capture_method="automatic").json()
        sandbox.fault("POST /v1/payment_intents/*/cancel", "error_before")
        cancel(frontend, made)
        sandbox.pay(made["payment"]["provider_ref"])
        end_leases()
        work(sandbox)
        work(sandbox)
        assert standing(frontend, made) == ("cancelled", 0, 0, 0)
        settled()

    def test_is_done_once_for_an_operation(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        path = f"reservations/{made['reservation']['id']}/cancel"
        first, again = (frontend.post(path, {"expected_refund": 4500}, key="one") for _ in range(2))
        assert first.content == again.content
        assert cancel(frontend, made, expected_refund=4500).status_code == 409


class TestDisputes:
    """S25: disputed money is never refunded while the bank has it."""

    def test_lost_is_not_refunded(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        dispute = sandbox.dispute(made["payment"]["provider_ref"])
        stripe_events.deliver_all(sandbox)
        assert cancel(frontend, made, expected_refund=4500).status_code == 200
        sandbox.close_dispute(dispute["id"], result="lost")
        stripe_events.deliver_all(sandbox)
        work(sandbox)
        assert sandbox.state()["refunds"] == []
        assert standing(frontend, made) == ("cancelled", 0, 4500, -4500)
        fixed_point.is_reached()
        discrepancy_rules.apply()
        assert Discrepancy.objects.filter(kind="payout").count() == 1

    def test_won_is_refunded_once(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        dispute = sandbox.dispute(made["payment"]["provider_ref"])
        stripe_events.deliver_all(sandbox)
        cancel(frontend, made, expected_refund=4500)
        sandbox.close_dispute(dispute["id"], result="won")
        for _ in range(2):
            work(sandbox)
        assert standing(frontend, made) == ("cancelled", 0, 0, 0)
        assert [row["amount"] for row in sandbox.state()["refunds"]] == [4500]
        settled()


def test_mail_says_what_comes_back(frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
    made = sell(frontend, slot, sandbox)
    start_in(made, timedelta(hours=1))
    cancel(frontend, made, expected_refund=3600)
    registry.run("send_mails")
    mail = Mail.objects.get(kind="cancelled_refund")
    assert (mail.facts["amount"], mail.facts["fee"]) == (3600, 900)
