"""News that comes before what it is about: it waits for it, however long that takes, and a person sees it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings

from booking import execution
from booking.models import Reservation
from payments.models import Payment, Refund
from reconciliation import manual_evidence
from reconciliation.models import Discrepancy
from sweeps import registry
from tests.support import dashboard, promises, stripe_events
from tests.support.aging import end_leases, let_checks_be_due
from tests.support.api import Frontend
from tests.support.desk import act, sign_in
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from webhooks import inbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def sell(sandbox: Sandbox) -> tuple[Frontend, Payment]:
    """Sell a place; neither the capture nor what follows is heard of."""
    sandbox.webhooks("drop")
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    made = frontend.reserve(slot).json()["reservation"]["id"]
    assert frontend.post(f"reservations/{made}/confirm").status_code == 200
    return frontend, Payment.objects.get()


def by_webhook(sandbox: Sandbox) -> None:
    stripe_events.deliver(stripe_events.only(sandbox, "payment_intent.succeeded"))
    registry.run("retry_events")


def by_recovery(sandbox: Sandbox) -> None:
    registry.run("recover_events")


def by_a_look(sandbox: Sandbox) -> None:
    let_checks_be_due()
    registry.run("reconcile")


def by_a_person(sandbox: Sandbox) -> None:
    manual_evidence.attest(payment_id=Payment.objects.get().pk, by="user:ana", because="seen at the dashboard")


class TestRefund:
    @pytest.mark.parametrize("way", [by_webhook, by_recovery, by_a_look, by_a_person])
    def test_waits_for_its_capture_and_is_applied_with_it(
        self, sandbox: Sandbox, settings: Settings, way: Callable[[Sandbox], None]
    ) -> None:
        settings.EVENT_MAX_ATTEMPTS = 1
        _, payment = sell(sandbox)
        dashboard.refund(sandbox, payment.provider_ref)
        stripe_events.deliver(stripe_events.only(sandbox, "refund.created"))
        for _ in range(3):
            end_leases()
            inbox.retry_due()
        waiting = Event.objects.get()
        assert (waiting.status, waiting.payment, waiting.attempts) == ("orphaned", payment, 1)
        assert "45.00 USD given back of money not known yet" in waiting.error
        way(sandbox)
        payment.refresh_from_db()
        assert (payment.amount_captured, payment.amount_refunded) == (4500, 4500)
        assert Reservation.objects.get().status == "refunded"
        promises.hold(at_provider=True)

    def test_that_waits_for_long_is_told_until_it_is_applied(self, sandbox: Sandbox) -> None:
        _, payment = sell(sandbox)
        dashboard.refund(sandbox, payment.provider_ref)
        stripe_events.deliver(stripe_events.only(sandbox, "refund.created"))
        registry.run("reconcile")
        assert not Discrepancy.objects.exists()
        make_older("event_is_evidence")
        registry.run("reconcile")
        told = Discrepancy.objects.get()
        assert (told.kind, told.status, told.payment) == ("event", "open", payment)
        by_webhook(sandbox)
        registry.run("reconcile")
        told.refresh_from_db()
        assert (told.status, told.resolution) == ("resolved", "settled")

    def test_of_what_another_has_reserved_waits_for_that(self, sandbox: Sandbox) -> None:
        frontend, payment = sell(sandbox)
        stripe_events.deliver(stripe_events.only(sandbox, "payment_intent.succeeded"))
        asked = frontend.post("refunds", {"payment_id": str(payment.pk)}).json()["id"]
        Refund.objects.get(pk=asked).commands.update(next_attempt_at=Now() + timedelta(hours=1))
        dashboard.refund(sandbox, payment.provider_ref)
        stripe_events.deliver(stripe_events.only(sandbox, "refund.created"))
        assert "45.00 USD given back, and 0.00 USD are left" in Event.objects.latest("id").error
        end_leases()
        execution.execute_due()  # ours is refused: the money is back with the guest already
        end_leases()
        inbox.retry_due()
        payment.refresh_from_db()
        assert (payment.amount_refunded, payment.amount_refunding) == (4500, 0)
        assert Reservation.objects.get().status == "refunded"
        promises.hold(at_provider=True)

    def test_a_hold_that_is_let_go_is_none(self, sandbox: Sandbox) -> None:
        sandbox.webhooks("drop")
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()
        frontend.post(f"reservations/{made['reservation']['id']}/cancel")
        event = stripe_events.only(sandbox, "payment_intent.canceled")
        (release,) = sandbox.state()["refunds"]
        body = release | {"object": "refund"}
        stripe_events.deliver(event | {"id": "evt_release", "type": "refund.created", "data": {"object": body}})
        kept = Event.objects.get(event_id="evt_release")
        assert (kept.status, kept.effect) == ("applied", "stale")


class TestDispute:
    @pytest.mark.parametrize("changes", [{"currency": "eur", "amount": 4100}, {"amount": 0}])
    def test_is_recorded_as_the_bank_has_it(self, sandbox: Sandbox, changes: dict[str, object]) -> None:
        _, payment = sell(sandbox)
        sandbox.dispute(payment.provider_ref)
        event = stripe_events.only(sandbox, "charge.dispute.created")
        event["data"]["object"] |= changes
        stripe_events.deliver(event)
        dispute = payment.disputes.get()
        assert (dispute.amount, dispute.currency) == (changes["amount"], str(changes.get("currency", "usd")).upper())
        registry.run("send_mails")


class TestResolving:
    def test_recovering_resolves_nothing_that_still_differs(self, sandbox: Sandbox) -> None:
        _, payment = sell(sandbox)
        by_webhook(sandbox)
        dashboard.refund(sandbox, payment.provider_ref, 1500)
        Payment.objects.update(stuck_at=Now(), stuck_because="a test")
        registry.run("reconcile")
        row = Discrepancy.objects.get(kind="stuck")
        sandbox.fault("GET /v1/events", "error_before", times=None)
        client = sign_in(operator=None)
        act(client, row, "recover_events", "look")
        row.refresh_from_db()
        assert row.status == "open"
        sandbox.clear_faults()
        act(client, row, "recover_events", "look")
        payment.refresh_from_db()
        assert payment.amount_refunded == 1500


def make_older(guard: str) -> None:
    """Let every event be an hour older, past the guard of what it is evidence of."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE webhooks_event DISABLE TRIGGER {guard}")
        cursor.execute("UPDATE webhooks_event SET received_at = received_at - interval '1 hour'")
        cursor.execute(f"ALTER TABLE webhooks_event ENABLE TRIGGER {guard}")
