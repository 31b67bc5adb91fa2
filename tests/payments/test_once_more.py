"""A command that was given up stays so until it is really claimed: a person keeps seeing it."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from payments import commands
from payments.models import Command, Payment
from payments.states import CommandKind
from sweeps import registry
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def given_up(sandbox: Sandbox) -> Command:
    sandbox.fault("POST /v1/payment_intents", "drop_answer", times=5)
    Frontend.of(slot := SlotFactory.create()).reserve(slot)
    for _ in range(5):
        end_leases()
        registry.run("send_commands")
    return commands.given_up(payment=Payment.objects.get()).get()


def earlier(command: Command) -> Command:
    """Store a command of the same payment that goes before it, and is not due."""
    return Command.objects.create(
        id=UUID(int=command.pk.int - 1), payment=command.payment, kind=CommandKind.CREATE, amount=command.amount,
        requested_by="test", reason="test", created_at=timezone.now(),
        next_attempt_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip


class TestClaim:
    def test_that_fails_changes_nothing(self, given_up: Command) -> None:
        earlier(given_up)
        before = Command.objects.filter(pk=given_up.pk).values().get()
        assert commands.claim_once_more(command_id=given_up.pk) is None
        assert Command.objects.filter(pk=given_up.pk).values().get() == before
        assert not Payment.objects.get().unflag()

    def test_of_another_command_is_none(self, given_up: Command) -> None:
        other = earlier(given_up)
        Command.objects.filter(pk=other.pk).update(next_attempt_at=timezone.now() - timedelta(seconds=1))
        assert commands.claim_once_more(command_id=other.pk) is None
        assert Command.objects.get(pk=other.pk).attempts == 0

    def test_leaves_the_payment_flagged(self, given_up: Command) -> None:
        flagged_at = Payment.objects.get().stuck_at
        claimed = commands.claim_once_more(command_id=given_up.pk)
        assert claimed is not None
        assert (claimed.attempts, claimed.status) == (given_up.attempts + 1, "sent")
        assert flagged_at is not None
        assert Payment.objects.get().stuck_at == flagged_at


class TestAnotherRound:
    def test_keeps_the_flag_while_another_command_is_given_up(self, given_up: Command) -> None:
        other = earlier(given_up)
        Command.objects.filter(pk=other.pk).update(next_attempt_at=None)
        commands.give_another_round(command_id=given_up.pk)
        assert Payment.objects.get().stuck_at is not None
        commands.give_another_round(command_id=other.pk)
        assert Payment.objects.get().stuck_at is None
