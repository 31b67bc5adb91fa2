"""Events whose webhook never came: a reservation becomes paid without a hand on it, and by an event alone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Count

from booking import expiring
from booking.models import Reservation
from common import database
from payments.models import Payment, Refund
from payments.outcome_types import Effect
from reconciliation import accounts, missed_events, status_checks
from reconciliation.models import Watermark
from sweeps import registry
from tests.support import promises, stripe_events
from tests.support.aging import let_checks_be_due, run_out
from tests.support.api import Frontend
from tests.support.environment import sized
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race
from tests.support.virtual_clock import Clock
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def confirm(sandbox: Sandbox, *, number: int = 1) -> Frontend:
    """Sell places whose webhooks never come."""
    sandbox.webhooks("drop")
    slot = SlotFactory.create(capacity=number)
    frontend = Frontend.of(slot)
    for _ in range(number):
        made = frontend.reserve(slot).json()["reservation"]["id"]
        assert frontend.post(f"reservations/{made}/confirm").status_code == 200
    return frontend


class TestRecover:
    @pytest.mark.slow
    @pytest.mark.timeout(400)
    def test_many_reservations_are_paid_without_one_webhook(self, sandbox: Sandbox) -> None:
        number = sized(150, long=1_000)
        confirm(sandbox, number=number)
        assert Reservation.objects.filter(status="confirmed").count() == number
        registry.run("recover_events")
        assert Reservation.objects.filter(status="paid").count() == number
        captured = Event.objects.filter(captured_amount__gt=0)
        assert captured.filter(source="recovered", status="applied", effect=Effect.APPLIED).count() == number
        assert Payment.objects.filter(captured_event_id__in=captured.values("pk")).count() == number
        per_intent = captured.values("object_ref").annotate(number=Count("pk")).values_list("number", flat=True)
        assert set(per_intent) == {1}
        assert {intent["status"] for intent in sandbox.payment_intents()} == {"succeeded"}
        promises.hold(at_provider=True)

    def test_a_run_reads_only_what_is_new(self, sandbox: Sandbox, clock: Clock) -> None:
        confirm(sandbox, number=3)
        assert missed_events.recover_unread(accounts=accounts.list_accounts()).taken > 0
        before = list_calls(sandbox)
        clock.advance(timedelta(hours=1))
        assert missed_events.recover_unread(accounts=accounts.list_accounts()).taken == 0
        assert list_calls(sandbox) - before == 1

    def test_what_was_delivered_is_not_read(self, sandbox: Sandbox) -> None:
        confirm(sandbox)
        stripe_events.deliver_all(sandbox)
        assert missed_events.recover_unread(accounts=accounts.list_accounts()).taken == 0
        assert Event.objects.exclude(source="webhook").count() == 0

    def test_a_list_that_breaks_off_is_read_again(self, sandbox: Sandbox) -> None:
        confirm(sandbox, number=2)
        sandbox.fault("GET /v1/events", "error_before")
        tally = missed_events.recover_unread(accounts=accounts.list_accounts())
        assert (tally.taken, len(tally.problems)) == (0, 1)
        assert not Watermark.objects.filter(name="events").exists()
        missed_events.recover_unread(accounts=accounts.list_accounts())
        assert Reservation.objects.filter(status="paid").count() == 2

    def test_what_is_busy_at_that_moment_is_read_again(self, sandbox: Sandbox, clock: Clock) -> None:
        confirm(sandbox)
        clock.advance(timedelta(days=3))
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE webhooks_event IN EXCLUSIVE MODE")
            tally = missed_events.recover_unread(accounts=accounts.list_accounts())
        other.close()
        assert tally.problems
        assert Watermark.objects.get(name="events").read_until < database.now() - timedelta(days=2)
        missed_events.recover_unread(accounts=accounts.list_accounts())
        assert Reservation.objects.get().status == "paid"

    def test_a_webhook_racing_its_recovered_copy_has_one_effect(self, sandbox: Sandbox) -> None:
        for _ in range(5):
            confirm(sandbox)
            event = stripe_events.happened(sandbox, "payment_intent.succeeded")[-1]
            race(
                [lambda event=event: stripe_events.deliver(event)]
                + [lambda: missed_events.recover_unread(accounts=accounts.list_accounts())] * 2
            )
            assert Event.objects.filter(event_id=event["id"]).count() == 1
        assert Reservation.objects.filter(status="paid").count() == 5
        promises.hold(at_provider=True)


class TestLate:
    def test_money_that_came_late_and_unheard_is_seated_again(self, sandbox: Sandbox) -> None:
        sandbox.webhooks("drop")
        slot = SlotFactory.create()
        made = Frontend.of(slot).reserve(slot, card=None, capture_method="automatic").json()["reservation"]["id"]
        run_out(made)
        expiring.expire_due()
        sandbox.pay(Payment.objects.get().provider_ref)
        let_checks_be_due()
        registry.run("reconcile")
        assert Reservation.objects.get().status == "paid"
        promises.hold(at_provider=True)

    def test_or_given_back_if_the_places_are_gone(self, sandbox: Sandbox) -> None:
        sandbox.webhooks("drop")
        slot = SlotFactory.create(capacity=1)
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot, card=None, capture_method="automatic").json()["reservation"]["id"]
        run_out(made)
        expiring.expire_due()
        assert frontend.reserve(slot).status_code == 201
        sandbox.pay(Payment.objects.get(managed_id=made).provider_ref)
        let_checks_be_due()
        registry.run("reconcile")
        assert Reservation.objects.get(pk=made).status == "expired"
        registry.run("recover_events")
        refund = Refund.objects.get()
        assert (refund.status, refund.amount, refund.reason) == ("succeeded", 4500, "late_payment")
        promises.hold(at_provider=True)


class TestByPayment:
    def test_an_event_that_another_endpoint_has_taken_is_found(self, sandbox: Sandbox) -> None:
        """Delivered, as far as the provider knows, and not to us: only the look at the payment finds it."""
        confirm(sandbox)
        pretend_delivered(sandbox)
        assert missed_events.recover_unread(accounts=accounts.list_accounts()).taken == 0
        let_checks_be_due()
        ((_, result),) = status_checks.reconcile_due().lines
        assert result.result == "recovered"
        assert Reservation.objects.get().status == "paid"

    def test_a_refund_whose_event_is_lost_is_settled(self, sandbox: Sandbox) -> None:
        frontend = confirm(sandbox)
        registry.run("recover_events")
        frontend.post("refunds", {"payment_id": str(Payment.objects.get().pk)})
        registry.run("send_commands")
        pretend_delivered(sandbox)
        let_checks_be_due()
        registry.run("reconcile")
        assert Refund.objects.get().status == "succeeded"
        assert Reservation.objects.get().status == "refunded"
        assert Payment.objects.get().next_check_at is None


def list_calls(sandbox: Sandbox) -> int:
    """Count the calls that listed events."""
    return sum(call["path"] == "/v1/events" for call in sandbox.state()["calls"])


def pretend_delivered(sandbox: Sandbox) -> None:
    """Have every event taken by an endpoint that is not ours: one of the sandbox's own, which answers 200."""
    sandbox.webhooks("deliver", url=f"{sandbox.url}/_sandbox/webhooks/flush")
    for event in sandbox.events():
        assert sandbox.redeliver(event["id"])["status"] == 200
    sandbox.webhooks("drop")
