"""The sums of a reservation (P13): what is owed, proven and on its way back, and what evens them out."""

from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from booking import balance, execution, locks
from booking.models import Adjustment, History, Reservation
from catalogue.models import Slot
from notifications.models import Mail
from payments.models import Refund
from sweeps import registry
from tests.support import dashboard, fixed_point, promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.paying import create, work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import refund, sell, standing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def frontend(slot: Slot, sandbox: Sandbox) -> Frontend:
    return Frontend.of(slot)


@pytest.fixture
def slot() -> Slot:
    return SlotFactory.create()


class TestPart:
    """The provider took only a part of the money (S10)."""

    def test_confirms_and_leaves_a_balance(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot).json()
        assert standing(frontend, made) == ("pending", 4500, 0, 4500)
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 4000)
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("confirmed", 4500, 4000, 500)
        assert History.objects.latest("id").reason == "40.00 USD of 45.00 USD are paid"
        promises.hold()
        fixed_point.is_reached()

    def test_that_is_given_back_ends_it(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot).json()
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 4000)
        stripe_events.deliver_all(sandbox)
        assert refund(frontend, made).json()["amount"] == 4000
        work(sandbox)
        assert standing(frontend, made) == ("refunded", 0, 0, 0)
        slot.refresh_from_db()
        assert slot.reserved == 0
        promises.hold()
        fixed_point.is_reached()


class TestRefunds:
    """Refunds that somebody asks for (S14)."""

    def test_of_all_ends_it_at_the_event(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        assert refund(frontend, made).status_code == 201
        assert standing(frontend, made) == ("paid", 0, 4500, 0)
        execution.execute_due()
        assert standing(frontend, made) == ("paid", 0, 4500, 0)  # the provider's answer is no evidence
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("refunded", 0, 0, 0)
        slot.refresh_from_db()
        assert slot.reserved == 0
        promises.hold()
        fixed_point.is_reached()

    def test_of_all_can_leave_the_places(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        assert refund(frontend, made, keep_places=True).status_code == 201
        work(sandbox)
        assert standing(frontend, made) == ("confirmed", 0, 0, 0)
        slot.refresh_from_db()
        assert slot.reserved == 1
        promises.hold()
        fixed_point.is_reached()

    def test_the_last_one_decides_about_the_places(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        refund(frontend, made, amount=1000, keep_places=True)
        refund(frontend, made)
        work(sandbox)
        assert standing(frontend, made)[0] == "refunded"

    def test_of_a_part_lowers_what_is_owed(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        refund(frontend, made, amount=1000)
        assert standing(frontend, made) == ("paid", 3500, 4500, 0)
        work(sandbox)
        assert standing(frontend, made) == ("paid", 3500, 3500, 0)
        registry.run("send_mails")
        assert sorted(Mail.objects.values_list("kind", flat=True)) == ["paid", "refunded"]  # nobody is asked for money
        promises.hold()
        fixed_point.is_reached()

    def test_that_fails_leaves_a_surplus_that_is_not_asked_for_again(
        self, frontend: Frontend, slot: Slot, sandbox: Sandbox
    ) -> None:
        made = sell(frontend, slot, sandbox)
        refund(frontend, made, amount=1000)
        work(sandbox)
        (there,) = sandbox.state()["refunds"]
        sandbox.fail_refund(there["id"])
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("paid", 3500, 4500, -1000)
        fixed_point.is_reached()
        refund(frontend, made, amount=1000)  # the same surplus is given back by another, and no more is given up
        work(sandbox)
        assert standing(frontend, made) == ("paid", 3500, 3500, 0)
        assert Adjustment.objects.count() == 1
        promises.hold()

    def test_places_can_be_kept_only_of_a_reservation(self, frontend: Frontend, sandbox: Sandbox) -> None:
        made = create(frontend, capture_method="automatic").json()["id"]
        frontend.patch(f"payment_intents/{made}/confirm")
        work(sandbox)
        answer = frontend.post("refunds", {"payment_id": made, "keep_places": True})
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, "keep_places")
        assert not Refund.objects.exists()


class TestRefundsMadeThere:
    """Refunds made at the provider's dashboard (S11)."""

    def test_of_a_part_is_forgiven_once(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        dashboard.refund(sandbox, made["payment"]["provider_ref"], 1000)
        for _ in range(3):
            for event in stripe_events.happened(sandbox):
                stripe_events.deliver(event)
        assert standing(frontend, made) == ("paid", 3500, 3500, 0)
        assert [row.amount for row in Adjustment.objects.all()] == [-1000]
        promises.hold()
        fixed_point.is_reached()

    def test_that_fails_is_owed_again(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        there = dashboard.refund(sandbox, made["payment"]["provider_ref"], 1000)
        stripe_events.deliver_all(sandbox)
        sandbox.fail_refund(there["id"])
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("paid", 4500, 4500, 0)
        assert [row.amount for row in Adjustment.objects.all()] == [-1000, 1000]
        promises.hold()
        fixed_point.is_reached()

    def test_of_all_frees_the_places(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        dashboard.refund(sandbox, made["payment"]["provider_ref"])
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("refunded", 0, 0, 0)
        slot.refresh_from_db()
        assert slot.reserved == 0
        promises.hold()

    def test_eats_surplus_first(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = sell(frontend, slot, sandbox)
        refund(frontend, made, amount=1000)
        work(sandbox)
        sandbox.fail_refund(sandbox.state()["refunds"][0]["id"])
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("paid", 3500, 4500, -1000)
        dashboard.refund(sandbox, made["payment"]["provider_ref"], 1500)
        stripe_events.deliver_all(sandbox)
        assert standing(frontend, made) == ("paid", 3000, 3000, 0)
        promises.hold()


class TestDisputed:
    def test_surplus_of_disputed_money_is_left_to_a_person(
        self, frontend: Frontend, slot: Slot, sandbox: Sandbox
    ) -> None:
        made = sell(frontend, slot, sandbox)
        dispute = sandbox.dispute(made["payment"]["provider_ref"])
        stripe_events.deliver_all(sandbox)
        assert surplus_is_asked_back(made) == []
        sandbox.close_dispute(dispute["id"], result="won")
        stripe_events.deliver_all(sandbox)
        assert surplus_is_asked_back(made) == [1000]

    def test_surplus_is_asked_back_by_whatever_comes_next(
        self, frontend: Frontend, slot: Slot, sandbox: Sandbox
    ) -> None:
        made = sell(frontend, slot, sandbox)
        row = Reservation.objects.get(pk=made["reservation"]["id"])
        with transaction.atomic():
            less = Adjustment(reservation=row, kind="goodwill", amount=-1000, at=row.created_at, actor="me", reason="x")
            less.save(force_insert=True)
            Reservation.objects.filter(pk=row.pk).update(amount_owed=3500)
        event = dict(stripe_events.only(sandbox, "payment_intent.succeeded"), id="evt_another")
        stripe_events.deliver(event)
        assert standing(frontend, made) == ("paid", 3500, 4500, 0)
        promises.hold()
        work(sandbox)
        assert standing(frontend, made) == ("paid", 3500, 3500, 0)
        promises.hold()
        fixed_point.is_reached()


def surplus_is_asked_back(made: dict[str, Any]) -> list[int]:
    """Let less be owed, and return which refunds even_out would store."""
    with transaction.atomic():
        found = locks.find_reservation_for_update(pk=UUID(made["reservation"]["id"]))
        assert found is not None
        found.row.amount_owed -= 1000
        rows = balance.even_out(found.row, at=found.at, by="test", because="less is owed")
        transaction.set_rollback(True)
    return [row.amount for row in rows if isinstance(row, Refund)]


class TestOver:
    def test_what_is_over_owes_nothing(self, frontend: Frontend, slot: Slot, sandbox: Sandbox) -> None:
        made = frontend.reserve(slot).json()
        frontend.post(f"reservations/{made['reservation']['id']}/cancel")
        assert standing(frontend, made) == ("cancelled", 0, 0, 0)
        end_leases()
        work(sandbox)
        promises.hold()
        fixed_point.is_reached()
