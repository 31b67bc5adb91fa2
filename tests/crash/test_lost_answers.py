"""Answers that are lost, late or wrong: the provider did its part, or did not, and we do not know."""

import pytest

from booking.models import Reservation
from payments.models import Command
from payments.states import CommandStatus
from sweeps import registry as sweeps
from tests.support import promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]

AMBIGUOUS = ["drop_answer", "error_before", "error_after"]
EFFECTS = [*AMBIGUOUS, "rate_limit"]


def sweep_until_quiet(sandbox: Sandbox) -> None:
    """Do what time does."""
    for _ in range(4):
        end_leases()
        sweeps.run("send_commands")
        stripe_events.deliver_all(sandbox)


class TestReserve:
    @pytest.mark.parametrize("effect", EFFECTS)
    def test_ends_with_one_hold(self, sandbox: Sandbox, effect: str) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        sandbox.fault("POST /v1/payment_intents", effect)
        answer = frontend.reserve(slot, key="once")
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (202, "awaiting_payment")
        sweep_until_quiet(sandbox)
        (intent,) = sandbox.payment_intents()
        assert intent["status"] == "requires_capture"
        assert Reservation.objects.get().status == "pending"
        again = frontend.reserve(slot, key="once")
        assert (again.status_code, again.content) == (202, answer.content)
        promises.hold(at_provider=True)

    @pytest.mark.parametrize("effect", EFFECTS)
    def test_takes_the_money_once(self, sandbox: Sandbox, effect: str) -> None:
        slot = SlotFactory.create()
        sandbox.fault("POST /v1/payment_intents", effect)
        Frontend.of(slot).reserve(slot, capture_method="automatic")
        sweep_until_quiet(sandbox)
        (intent,) = sandbox.payment_intents()
        assert (intent["status"], intent["amount_received"]) == ("succeeded", 4500)
        assert Reservation.objects.get().status == "paid"
        promises.hold(at_provider=True)

    @pytest.mark.parametrize("effect", EFFECTS)
    def test_leaves_no_hold_if_it_is_canceled_meanwhile(self, sandbox: Sandbox, effect: str) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        sandbox.fault("POST /v1/payment_intents", effect)
        made = frontend.reserve(slot).json()["reservation"]
        assert frontend.post(f"reservations/{made['id']}/cancel").status_code == 200
        sweep_until_quiet(sandbox)
        assert {intent["status"] for intent in sandbox.payment_intents()} <= {"canceled"}
        assert Reservation.objects.get().status == "cancelled"
        slot.refresh_from_db()
        assert slot.reserved == 0
        promises.hold(at_provider=True)


class TestConfirm:
    @pytest.mark.parametrize("effect", EFFECTS)
    def test_captures_once(self, sandbox: Sandbox, effect: str) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()
        sandbox.fault(f"POST /v1/payment_intents/{made['payment']['provider_ref']}/capture", effect)
        answer = frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (200, "confirmed")
        sweep_until_quiet(sandbox)
        (intent,) = sandbox.payment_intents()
        assert (intent["status"], intent["amount_received"]) == ("succeeded", 4500)
        assert Reservation.objects.get().status == "paid"
        promises.hold(at_provider=True)


class TestCancel:
    @pytest.mark.parametrize("effect", EFFECTS)
    def test_releases_the_hold(self, sandbox: Sandbox, effect: str) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()
        sandbox.fault(f"POST /v1/payment_intents/{made['payment']['provider_ref']}/cancel", effect)
        answer = frontend.post(f"reservations/{made['reservation']['id']}/cancel")
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (200, "cancelled")
        sweep_until_quiet(sandbox)
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        promises.hold(at_provider=True)


class TestNobodyAnswers:
    def test_a_person_is_told_in_the_end(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        sandbox.fault("POST /v1/payment_intents", "error_before", times=None)
        Frontend.of(slot).reserve(slot)
        for _ in range(6):
            end_leases()
            sweeps.run("send_commands")
        command = Command.objects.get()
        assert (command.status, command.attempts, command.next_attempt_at) == (CommandStatus.UNKNOWN, 5, None)
        assert command.payment.stuck_at is not None
        assert command.payment.stuck_because.startswith("authorize: no answer in 5 attempts")
        promises.hold()
