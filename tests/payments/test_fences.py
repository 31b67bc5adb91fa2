"""A sender whose lease is over may still tell of the payment, and nothing of the command: another has it."""

from typing import Any

import pytest
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from booking import execution, outcomes
from booking.models import Reservation
from common import database
from payments import commands
from payments.models import Command, Payment, Refund
from payments.outcome_types import Outcome, PaymentOutcome
from payments.states import CommandKind
from sweeps.models import SweepRun
from tests.support import paying, promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def claim_twice(sandbox: Sandbox, fault: str) -> tuple[Command, Command]:
    """Have a command claimed by a sender that is too slow, and by another after it."""
    slot = SlotFactory.create()
    sandbox.fault("POST /v1/payment_intents", fault)
    Frontend.of(slot).reserve(slot)
    claimed = []
    for _ in range(2):
        end_leases()
        claimed.append(commands.claim(command_id=Command.objects.get().pk))
    slow, living = claimed
    assert slow is not None
    assert living is not None
    return slow, living


def row() -> dict[str, Any]:
    return dict(Command.objects.values().get())


class TestSlowSender:
    @pytest.mark.parametrize(
        "told",
        [
            {"kind": Outcome.UNKNOWN, "error": "no answer"},
            {"kind": Outcome.UNKNOWN, "not_taken": True, "retry_after": 1.0},
            {"kind": Outcome.UNKNOWN, "answer_saved": True},
        ],
    )
    def test_leaves_the_command_to_the_living_one(self, sandbox: Sandbox, told: dict[str, Any]) -> None:
        slow, living = claim_twice(sandbox, "rate_limit")
        before = row()
        outcome = PaymentOutcome(provider="stripe", payment_id=slow.payment_id, actor="slow", command=slow, **told)
        with database.use_case():
            outcomes.handle(outcome=outcome)
        assert row() == before
        assert (living.attempts, row()["leased_until"]) == (slow.attempts + 1, living.leased_until)
        assert execution.execute_claimed(living) is not None
        assert (row()["status"], Reservation.objects.get().status) == ("done", "pending")

    def test_tells_its_news_all_the_same(self, sandbox: Sandbox) -> None:
        slow, living = claim_twice(sandbox, "drop_answer")
        before = row()
        done = execution.execute_claimed(slow)
        assert done is not None
        assert (row(), Reservation.objects.get().status) == (before, "pending")
        execution.execute_claimed(living)
        assert (row()["status"], Payment.objects.get().status) == ("done", "on_hold")
        assert len(sandbox.payment_intents()) == 1
        promises.hold(at_provider=True)

    def test_that_comes_after_the_living_one_changes_nothing(self, sandbox: Sandbox) -> None:
        slow, living = claim_twice(sandbox, "drop_answer")
        execution.execute_claimed(living)
        before = row()
        execution.execute_claimed(slow)
        assert row() == before
        promises.hold(at_provider=True)


def run_queue() -> int:
    """Do what workers do: each task that waits, and those that come of it."""
    number = 0
    while tasks := list(OrmQ.objects.order_by("id")):
        for task in tasks:
            given = SignedPackage.loads(task.payload)
            task.delete()
            execution.execute_any(**given["kwargs"])
            number += 1
    return number


class TestNext:
    def test_ten_refunds_at_once_need_no_sweep(self, sandbox: Sandbox) -> None:
        frontend = Frontend.of(SlotFactory.create())
        made = paying.paid(frontend, sandbox)
        OrmQ.objects.all().delete()
        for _ in range(10):
            assert frontend.post("refunds", {"payment_id": made, "amount": 100}).status_code in (201, 202)
        *others, first = OrmQ.objects.order_by("-id")
        for task in others:  # they come while the first is on its way, and find it open
            task.delete()
        assert run_queue() == 10
        assert first is not None
        assert list(Command.objects.filter(kind="refund").values_list("status", flat=True)) == ["done"] * 10
        stripe_events.deliver_all(sandbox)
        assert Payment.objects.get().amount_refunded == 1000
        assert list(Refund.objects.values_list("status", flat=True)) == ["succeeded"] * 10
        assert not SweepRun.objects.exists()

    def test_a_release_goes_as_soon_as_the_hold_is_there(self, sandbox: Sandbox) -> None:
        """Canceled while the hold is in flight: nothing waits for a sweep."""
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        sandbox.fault("POST /v1/payment_intents", "rate_limit")
        made = frontend.reserve(slot, card=None).json()["reservation"]["id"]
        end_leases()
        authorization = commands.claim(command_id=Command.objects.get().pk)
        assert authorization is not None
        frontend.post(f"reservations/{made}/cancel")
        assert Command.objects.get(kind=CommandKind.CANCEL).status == "requested"
        execution.execute_claimed(authorization)
        run_queue()
        assert set(Command.objects.values_list("status", flat=True)) == {"done"}
        assert [intent["status"] for intent in sandbox.payment_intents()] == ["canceled"]
        promises.hold(at_provider=True)

    def test_what_is_not_known_lets_nothing_pass(self, sandbox: Sandbox) -> None:
        frontend = Frontend.of(SlotFactory.create())
        made = paying.paid(frontend, sandbox)
        OrmQ.objects.all().delete()
        sandbox.fault("POST /v1/refunds", "drop_answer")
        for _ in range(2):
            frontend.post("refunds", {"payment_id": made, "amount": 100})
        run_queue()
        assert list(Command.objects.filter(kind="refund").values_list("status", flat=True)) == ["unknown", "requested"]
