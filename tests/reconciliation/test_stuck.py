"""Payments whose outcome cannot be found out: a person is told, and they heal by themselves where they can."""

import pytest

from booking.models import Reservation
from payments.models import CheckAttempt, Command, Payment
from reconciliation import check_attempts
from reconciliation.check_attempts import Result
from reconciliation.models import Discrepancy
from sweeps import registry
from tests.support import promises, stripe_events
from tests.support.aging import end_leases, let_checks_be_due
from tests.support.api import Frontend
from tests.support.checking import check
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


class TestStuck:
    def fail(self, sandbox: Sandbox, number: int) -> list[Result]:
        """Take looks at a provider that does not answer."""
        sandbox.fault("GET /v1/payment_intents/*", "error_before", times=number)
        return check(number)

    def test_after_five_failures_a_person_is_told_once(self, held: Payment, sandbox: Sandbox) -> None:
        assert [result.result for result in self.fail(sandbox, 4)] == ["failed"] * 4
        assert not Discrepancy.objects.exists()
        self.fail(sandbox, 3)
        payment = Payment.objects.get()
        assert payment.stuck_because == "5 checks with the provider have failed (HTTP 500 (APIError))"
        found = Discrepancy.objects.get()
        assert (found.kind, found.status, found.operator_id) == ("stuck", "open", payment.operator_id)
        assert [one["number"] for one in found.evidence["attempts"]] == [1, 2, 3, 4, 5]
        assert list(CheckAttempt.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6, 7]
        promises.hold()

    def test_is_looked_at_further_and_heals_by_itself(self, held: Payment, sandbox: Sandbox) -> None:
        self.fail(sandbox, 5)
        assert Payment.objects.get().stuck_at is not None
        assert [result.result for result in check()] == ["in_step"]
        assert Payment.objects.get().stuck_at is None
        found = Discrepancy.objects.get()
        assert (found.status, found.resolved_by, found.resolution) == ("resolved", "reconciliation", "settled")

    def test_is_filtered_for_by_the_api(self, held: Payment, sandbox: Sandbox) -> None:
        self.fail(sandbox, 5)
        frontend = Frontend.of(Reservation.objects.get().slot)  # type: ignore[arg-type]  # it has one
        (row,) = frontend.get("transactions", status="stuck").json()["results"]
        assert row["id"] == str(held.pk)

    def test_who_dies_on_the_fifth_does_not_strand_it(self, held: Payment, sandbox: Sandbox) -> None:
        for _ in range(5):
            let_checks_be_due()
            assert check_attempts.claim_due(payment_id=held.pk) is not None
        assert Payment.objects.get().stuck_at is None
        self.fail(sandbox, 1)
        assert Payment.objects.get().stuck_at is not None
        assert CheckAttempt.objects.filter(error="the process died during this check").count() == 5

    def test_a_command_that_was_given_up_is_sent_again_and_settles(self, sandbox: Sandbox) -> None:
        sandbox.webhooks("drop")
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]["id"]
        sandbox.fault("POST /v1/payment_intents/*/capture", "drop_answer", times=5)
        frontend.post(f"reservations/{made}/confirm")
        for _ in range(5):
            end_leases()
            registry.run("send_commands")
        command = Command.objects.get(kind="capture")
        assert (command.status, command.next_attempt_at) == ("unknown", None)
        check(2)
        command.refresh_from_db()
        assert command.status == "done"
        assert Reservation.objects.get().status == "paid"
        assert Payment.objects.get().stuck_at is None
        captures = [call for call in sandbox.state()["calls"] if call["path"].endswith("/capture")]
        assert len(captures) == 1, "one key, however often"
        promises.hold(at_provider=True)

    def test_an_authorization_that_was_given_up_is_found_out(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        sandbox.fault("POST /v1/payment_intents", "drop_answer", times=5)
        assert Frontend.of(slot).reserve(slot).status_code == 202
        for _ in range(5):
            end_leases()
            registry.run("send_commands")
        assert Payment.objects.get().stuck_at is not None
        check()
        assert Reservation.objects.get().status == "pending"
        assert Payment.objects.get().stuck_at is None
        assert len(sandbox.payment_intents()) == 1

    def test_money_that_is_proved_leaves_no_command_behind_that_was_given_up(self, sandbox: Sandbox) -> None:
        """Found by seed 866 of the storm: the flag went with the event, and with it the check that sends it again."""
        slot = SlotFactory.create()
        sandbox.fault("POST /v1/payment_intents", "drop_answer", times=5)
        Frontend.of(slot).reserve(slot, capture_method="automatic")
        for _ in range(5):
            end_leases()
            registry.run("send_commands")
        stripe_events.deliver_all(sandbox)
        assert Reservation.objects.get().status == "paid"
        assert Payment.objects.get().stuck_at is not None
        promises.hold()
        check()
        assert (Command.objects.get().status, Payment.objects.get().stuck_at) == ("done", None)
        promises.hold(at_provider=True)

    def test_another_amount_at_the_provider_is_a_discrepancy(self, held: Payment, sandbox: Sandbox) -> None:
        Payment.objects.update(amount=held.amount + 1)
        (result,) = check()
        assert result.result == "failed"
        found = Discrepancy.objects.get()
        assert (found.kind, found.subject) == ("amount", held.provider_ref)
        assert found.difference["theirs"] == {"amount": 4500, "currency": "USD"}
