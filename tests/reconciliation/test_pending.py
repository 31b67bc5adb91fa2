"""Payments whose outcome is not known: looked at with back-off, each look kept, and a person told after five."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from booking.models import Reservation
from common import database
from payments import locks as payment_locks
from payments.models import CheckAttempt, Command, Payment, ProviderThrottle
from reconciliation import check_attempts, status_checks
from sweeps import registry
from tests.reconciliation.losing import lose_the_release
from tests.support import paying, promises, stripe_events
from tests.support.aging import end_leases, let_checks_be_due
from tests.support.api import Frontend
from tests.support.checking import check
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


class TestLook:
    def test_is_taken_after_five_minutes_and_not_before(self, held: Payment) -> None:
        assert status_checks.reconcile_due().lines == []
        let_checks_be_due(timedelta(minutes=4, seconds=55))
        assert status_checks.reconcile_due().lines == []
        let_checks_be_due(timedelta(seconds=6))
        ((_, result),) = status_checks.reconcile_due().lines
        assert (result.result, result.provider_status) == ("in_step", "held")
        assert status_checks.reconcile_due().lines == []

    def test_what_is_final_is_not_looked_at(self, held: Payment, sandbox: Sandbox) -> None:
        sandbox.expire(held.provider_ref)
        stripe_events.deliver_all(sandbox)
        assert Payment.objects.get().next_check_at is None
        assert check() == []

    def test_a_hold_that_was_voided_unheard_is_found(self, held: Payment, sandbox: Sandbox) -> None:
        sandbox.expire(held.provider_ref)
        (result,) = check()
        assert (result.result, result.done) == ("applied", "on_hold → canceled")
        assert Reservation.objects.get().status == "failed"
        change = Reservation.objects.get().history.last()
        assert change is not None
        assert (change.actor, change.reason) == ("reconciliation", "the provider was asked: canceled")

    def test_a_hold_that_was_made_unheard_is_found(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot, card=None)
        sandbox.pay(Payment.objects.get().provider_ref)
        (result,) = check()
        assert result.done == "requires_confirmation → on_hold"
        assert Reservation.objects.get().status == "pending"

    def test_the_looks_get_rarer(self, held: Payment) -> None:
        waits = []
        for day in range(1, 4):
            let_checks_be_due(timedelta(days=day * 10))
            Payment.objects.update(changed_at=F("changed_at") - timedelta(hours=day))
            status_checks.reconcile_due()
            payment = Payment.objects.get()
            assert payment.next_check_at is not None
            waits.append(payment.next_check_at - timezone.now())
        assert waits == sorted(waits)
        assert waits[-1] < timedelta(days=7)

    def test_each_is_on_the_transaction(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["payment"]["id"]
        check(2)
        shown = frontend.get(f"transactions/{made}").json()["attempts"]
        assert [(one["number"], one["result"], one["provider_status"]) for one in shown] == [
            (1, "in_step", "held"),
            (2, "in_step", "held"),
        ]


class TestTwo:
    def test_reconcilers_take_each_look_once(self, sandbox: Sandbox) -> None:
        sandbox.webhooks("drop")
        slot = SlotFactory.create(capacity=20)
        frontend = Frontend.of(slot)
        for _ in range(10):
            made = frontend.reserve(slot).json()["reservation"]["id"]
            frontend.post(f"reservations/{made}/confirm")
        let_checks_be_due()
        race([status_checks.reconcile_due] * 4)
        numbers = list(CheckAttempt.objects.values_list("number", flat=True))
        assert set(numbers) == {1}
        assert len(numbers) <= 10
        assert Reservation.objects.filter(status="paid").count() == 10
        assert Payment.objects.filter(history__to_status="succeeded").count() == 10
        promises.hold(at_provider=True)

    def test_a_claim_is_alone(self, held: Payment) -> None:
        let_checks_be_due()
        claimed = race([lambda: check_attempts.claim_due(payment_id=held.pk)] * 8)
        assert sum(attempt is not None for attempt in claimed) == 1
        assert race([lambda: check_attempts.claim_now(payment_id=held.pk)] * 2) == [None, None]


class TestPace:
    def test_a_rate_limit_holds_everything_off_and_costs_nothing(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=5)
        frontend = Frontend.of(slot)
        for _ in range(3):
            frontend.reserve(slot)
        let_checks_be_due()
        before = calls(sandbox)
        sandbox.fault("GET /v1/payment_intents/*", "rate_limit", times=None)
        tally = status_checks.reconcile_due()
        assert calls(sandbox) - before == 1, "the first 429 holds off the rest"
        assert [result.counts for _, result in tally.lines] == [False]
        assert len(tally.paused) == 1
        assert CheckAttempt.objects.get().failures == 0
        assert "429" in ProviderThrottle.objects.get().paused_because
        registry.run("send_commands")
        registry.run("recover_events")
        assert calls(sandbox) - before == 1

    def test_an_account_that_is_held_off_costs_its_commands_no_attempt(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        made = Frontend.of(slot)
        sandbox.fault("POST /v1/payment_intents", "error_before")
        assert made.reserve(slot).status_code == 202
        end_leases()
        ProviderThrottle.objects.update(paused_until=timezone.now() + timedelta(minutes=5))
        registry.run("send_commands")
        assert Command.objects.get().attempts == 1
        ProviderThrottle.objects.update(paused_until=None)
        registry.run("send_commands")
        assert Command.objects.get().status == "done"

    def test_a_provider_that_does_not_answer_is_left_alone_for_longer_and_longer(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=9)
        frontend = Frontend.of(slot)
        for _ in range(9):
            frontend.reserve(slot)
        sandbox.fault("GET /v1/payment_intents/*", "error_before", times=None)
        let_checks_be_due()
        assert len(status_checks.reconcile_due().lines) == 3
        pauses = []
        for _ in range(3):
            limits = ProviderThrottle.objects.get()
            assert limits.paused_until is not None
            pauses.append(round((limits.paused_until - database.now()).total_seconds() / 15))
            end_leases()
            let_checks_be_due()
            status_checks.reconcile_due()
        assert pauses == [1, 2, 4]


class TestRelease:
    def test_a_hold_that_nothing_needs_is_released(self, held: Payment, sandbox: Sandbox) -> None:
        lose_the_release(sandbox)
        assert [result.result for result in check()] == ["released"]
        registry.run("send_commands")
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        promises.hold(at_provider=True)

    def test_a_hold_of_the_payments_api_is_kept(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = paying.create(frontend, capture_method="manual").json()["id"]
        frontend.patch(f"payment_intents/{made}/confirm")
        paying.work(sandbox)
        assert [result.result for result in check()] == ["in_step"]
        assert sandbox.payment_intents()[0]["status"] == "requires_capture"


def calls(sandbox: Sandbox) -> int:
    """Count the calls of the provider."""
    found: list[dict[str, Any]] = sandbox.state()["calls"]
    return sum(int(call["attempts"]) for call in found)


def test_a_look_is_refused_inside_a_transaction(held: Payment) -> None:
    with database.use_case():
        payment_locks.find_payment_for_update(pk=held.pk)
        with pytest.raises(TransactionManagementError):
            status_checks.check(payment=held)
