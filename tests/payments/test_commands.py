"""The outbox: who may send a command, when, and in which order."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models.functions import Now

from booking import execution
from booking.models import Reservation
from common.errors import BusyError
from payments import commands
from payments.models import Command, Payment
from payments.states import CommandKind
from tests.support import promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unknown(sandbox: Sandbox) -> Command:
    """A command whose outcome is not known, due again."""
    slot = SlotFactory.create()
    sandbox.fault("POST /v1/payment_intents", "drop_answer")
    Frontend.of(slot).reserve(slot)
    end_leases()
    return Command.objects.get()


class TestClaim:
    def test_goes_to_one_of_many(self, unknown: Command) -> None:
        claimed = race([lambda: commands.claim(command_id=unknown.pk)] * 6)
        assert len([command for command in claimed if command is not None]) == 1
        unknown.refresh_from_db()
        assert (unknown.status, unknown.attempts) == ("sent", 2)

    def test_is_not_to_be_had_while_somebody_has_it(self, unknown: Command) -> None:
        assert commands.claim(command_id=unknown.pk) is not None
        assert commands.claim(command_id=unknown.pk) is None
        assert commands.list_due(limit=10) == []
        end_leases()
        assert [found.row for found in commands.list_due(limit=10)] == [unknown]
        assert commands.claim(command_id=unknown.pk) is not None

    def test_is_not_to_be_had_before_its_time(self, unknown: Command) -> None:
        Command.objects.update(next_attempt_at=Now() + timedelta(minutes=1))
        assert commands.claim(command_id=unknown.pk) is None
        assert commands.list_due(limit=10) == []

    def test_waits_for_the_commands_before_it(self, unknown: Command) -> None:
        later = commands.new(
            payment=unknown.payment, kind=CommandKind.CANCEL, requested_by="me", reason="why", now=unknown.created_at
        )
        later.save(force_insert=True)
        assert commands.claim(command_id=later.pk) is None
        assert [found.row for found in commands.list_due(limit=10)] == [unknown]

    def test_of_what_begins_the_payment_waits_for_nothing(self, unknown: Command) -> None:
        """The release has the older id: it was stored by a node whose clock is behind."""
        release = commands.new(
            payment=unknown.payment, kind=CommandKind.CANCEL, requested_by="me", reason="why", now=unknown.created_at,
            command_id=UUID(int=unknown.pk.int - 1),
        )  # fmt: skip
        release.save(force_insert=True)
        assert [found.row for found in commands.list_due(limit=10)] == [unknown]
        assert commands.claim(command_id=release.pk) is None
        assert commands.claim(command_id=unknown.pk) is not None

    def test_counts_the_attempt_before_the_call(self, unknown: Command) -> None:
        for _ in range(4):
            commands.claim(command_id=unknown.pk)
            end_leases()
        assert commands.claim(command_id=unknown.pk) is None
        assert commands.flag_exhausted() == 1
        assert (
            Payment.objects.get().stuck_because == "authorize: no answer in 5 attempts (no answer (APIConnectionError))"
        )
        assert commands.flag_exhausted() == 0


class TestRound:
    def test_is_not_begun_while_a_sender_has_the_command(self, unknown: Command) -> None:
        living = commands.claim(command_id=unknown.pk)
        assert living is not None
        before = Command.objects.values().get()
        with pytest.raises(BusyError):
            commands.give_another_round(command_id=unknown.pk)
        assert Command.objects.values().get() == before
        assert execution.execute_claimed(living) is not None
        assert Command.objects.get().status == "done"

    def test_leaves_all_attempts(self, unknown: Command) -> None:
        commands.give_another_round(command_id=unknown.pk)
        for _ in range(5):
            assert commands.claim(command_id=unknown.pk) is not None
            end_leases()
        assert commands.claim(command_id=unknown.pk) is None
        unknown.refresh_from_db()
        assert (unknown.attempts, unknown.extra_attempts) == (6, 1)


class TestRelease:
    def test_a_hold_that_nobody_wants_any_more_is_let_go(self, sandbox: Sandbox) -> None:
        """Anybody may have ended the reservation, in any way: here, somebody by SQL who knew of no command."""
        slot = SlotFactory.create()
        made = Frontend.of(slot).reserve(slot, card=None).json()
        Reservation.objects.update(status="cancelled", changed_at=Now(), changed_by="dba")
        type(slot).objects.update(reserved=0)
        sandbox.pay(made["payment"]["provider_ref"])
        assert sandbox.payment_intents()[0]["status"] == "requires_capture"
        stripe_events.deliver_all(sandbox)
        execution.execute_due()
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        promises.hold(at_provider=True)
