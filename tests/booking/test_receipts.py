"""Money that no provider takes: cash, tills, a second person, payouts."""

from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from booking import receipts, tills
from booking.errors import OwnReceiptError
from booking.models import Receipt, Reservation, Till
from booking.states import ReceiptMethod
from catalogue.models import Slot
from common import ids
from common.states import InvalidStateError
from payments.models import Payment
from reconciliation import discrepancy_rules
from reconciliation.models import Discrepancy
from tenants.models import Scope
from tests.support import fixed_point, promises
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory, make_client
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import standing

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


class TestTaking:
    def test_cash_for_a_sale_on_arrival(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot)
        assert (made.status_code, made.json()["reservation"]["status"]) == (201, "confirmed")
        assert made.json()["payment"] is None
        answer = take(frontend, made.json())
        assert answer.status_code == 201
        assert standing(frontend, made.json()) == ("confirmed", 4500, 0, 0)
        assert answer.json()["reservation"]["amount_collected"] == 4500
        assert Reservation.objects.get().attempts == Payment.objects.count() == 0
        settled()

    def test_never_more_than_is_left(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot).json()
        refused = take(frontend, made, amount=4501)
        assert (refused.status_code, refused.json()["error"]["message"]) == (422, "45.00 USD are left to pay.")
        assert take(frontend, made, amount=2000).status_code == 201
        assert take(frontend, made).json()["reservation"]["balance"] == 0
        assert take(frontend, made).json()["error"]["code"] == "nothing_due"
        settled()

    def test_is_done_once_for_a_key(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot).json()
        path = f"reservations/{made['reservation']['id']}/receipts"
        first, again = (frontend.post(path, {"method": "cash", "amount": 100}, key="one") for _ in range(2))
        assert first.content == again.content
        row = Receipt.objects.get()
        operator = slot.activity.operator
        same = receipts.take(
            operator=operator, reservation_id=row.reservation_id, operation_id=row.pk, actor="x",
            request=receipts.Request(method=ReceiptMethod.CASH, amount=100),
        )  # fmt: skip
        assert same.receipt == row
        assert Receipt.objects.count() == 1

    def test_needs_its_scope(self, slot: Slot, sandbox: Sandbox) -> None:
        frontend = Frontend(make_client(slot.activity.operator, scopes=[Scope.READ, Scope.BOOK])[1])
        made = frontend.reserve(slot, card=None).json()
        for what in ("receipts", "adjustments"):
            assert do(frontend, made, what).json()["error"]["code"] == "insufficient_scope"
        assert frontend.on_arrival(slot).json()["error"]["code"] == "insufficient_scope"
        assert Reservation.objects.count() == 1

    def test_for_a_hold_all_that_is_due(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        """Cash for a hold on a card: the hold is released."""
        made = frontend.reserve(slot).json()
        assert take(frontend, made, amount=4499).status_code == 422
        assert take(frontend, made).status_code == 201
        assert standing(frontend, made) == ("confirmed", 4500, 0, 0)
        work(sandbox)
        assert Payment.objects.get().status == "canceled"
        assert standing(frontend, made) == ("confirmed", 4500, 0, 0)
        assert reserved(slot) == 1
        settled()

    def test_for_a_hold_past_its_time_is_refused(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.reserve(slot).json()
        run_out(made["reservation"]["id"])
        assert take(frontend, made).json()["error"]["code"] == "hold_expired"
        assert not Receipt.objects.exists()


class TestSecondPerson:
    @pytest.fixture(autouse=True)
    def limit(self) -> Any:
        with override_settings(RECEIPT_FOUR_EYES=4000):
            yield

    def test_counts_when_approved(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot).json()
        assert take(frontend, made).status_code == 202
        assert standing(frontend, made)[3] == 4500
        assert take(frontend, made, amount=1).json()["error"]["code"] == "nothing_due"  # what waits counts here
        row = Receipt.objects.get()
        with pytest.raises(OwnReceiptError):
            receipts.approve(receipt_id=row.pk, actor=row.actor)
        receipts.approve(receipt_id=row.pk, actor="user:boss")
        assert standing(frontend, made)[3] == 0
        with pytest.raises(InvalidStateError):
            receipts.approve(receipt_id=row.pk, actor="user:boss")
        settled()

    def test_never_counts_when_declined(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot).json()
        take(frontend, made)
        receipts.decline(receipt_id=Receipt.objects.get().pk, actor="user:boss")
        assert standing(frontend, made)[3] == 4500
        assert take(frontend, made, amount=3999).status_code == 201
        settled()


class TestTills:
    def test_what_is_expected_and_counted_is_kept(self, frontend: Frontend, slot: Slot) -> None:
        till = tills.open_till(
            operator=slot.activity.operator, name="Harbour", currency="USD", amount=10_000, actor="user:me"
        )
        made = frontend.on_arrival(slot).json()
        take(frontend, made, amount=2000)
        take(frontend, made, method="terminal", amount=500)
        assert tills.expected(till) == 12_000
        closed = tills.close(till_id=till.pk, counted=11_900, actor="user:me", reason="evening")
        assert (closed.amount_expected, closed.difference) == (12_000, -100)
        with pytest.raises(InvalidStateError):
            tills.close(till_id=till.pk, counted=0, actor="user:me", reason="again")
        refused = take(frontend, made, amount=100, till_id=str(till.pk))
        assert (refused.status_code, refused.json()["error"]["message"]) == (404, "There is no such open till.")

    def test_a_correction_goes_to_the_till_of_now(self, frontend: Frontend, slot: Slot) -> None:
        operator = slot.activity.operator
        first = tills.open_till(operator=operator, name="Harbour", currency="USD", amount=0, actor="user:me")
        made = frontend.on_arrival(slot).json()
        take(frontend, made)
        tills.close(till_id=first.pk, counted=4500, actor="user:me", reason="evening")
        second = tills.open_till(operator=operator, name="Harbour", currency="USD", amount=0, actor="user:me")
        wrong = Receipt.objects.get()
        operation = ids.new_id()
        for _ in range(2):
            receipts.correct(receipt_id=wrong.pk, operation_id=operation, actor="user:me", reason="another guest's")
        assert standing(frontend, made) == ("confirmed", 4500, 0, 4500)  # it was never paid, and the place stays
        assert (tills.expected(Till.objects.get(pk=first.pk)), tills.expected(second)) == (4500, -4500)
        with pytest.raises(InvalidStateError):
            receipts.correct(receipt_id=wrong.pk, operation_id=ids.new_id(), actor="user:me", reason="again")
        settled()


class TestPayouts:
    def test_cash_is_paid_out_by_a_person(self, frontend: Frontend, slot: Slot) -> None:
        made = frontend.on_arrival(slot).json()
        take(frontend, made)
        adjust(frontend, made, "discount", 1000)
        assert standing(frontend, made) == ("confirmed", 3500, 0, -1000)
        fixed_point.is_reached()
        discrepancy_rules.apply()
        assert Discrepancy.objects.get().summary.startswith("10.00 USD of")
        assert Discrepancy.objects.get().operator == slot.activity.operator
        paid_out = receipts.pay_out(
            operator=slot.activity.operator,
            reservation_id=UUID(made["reservation"]["id"]),
            operation_id=ids.new_id(),
            actor="user:me",
            request=receipts.Request(method=ReceiptMethod.CASH),
        )
        assert paid_out.amount == -1000
        assert standing(frontend, made) == ("confirmed", 3500, 0, 0)
        discrepancy_rules.apply()
        assert Discrepancy.objects.get().resolved_at is not None
        settled()
