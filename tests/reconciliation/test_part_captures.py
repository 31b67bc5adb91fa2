"""A part of a hold that is captured at the provider's dashboard: money, never a sale; a person decides."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import DatabaseError

from booking import execution, expiring
from booking.models import Reservation
from catalogue.models import Slot
from payments.models import Command, Payment
from reconciliation import manual_evidence
from reconciliation.models import Discrepancy
from sweeps import registry
from tests.support import dashboard, promises, stripe_events
from tests.support.aging import end_leases, let_checks_be_due, run_out
from tests.support.api import Frontend
from tests.support.desk import act, sign_in
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.virtual_clock import Clock

pytestmark = pytest.mark.django_db(transaction=True)

Made = dict[str, dict[str, Any]]


def hold(sandbox: Sandbox) -> tuple[Slot, Frontend, Made]:
    """Hold 45.00 USD for a place; no webhook comes by itself."""
    sandbox.webhooks("drop")
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    return slot, frontend, frontend.reserve(slot).json()


def sweep(*names: str) -> None:
    """Let time pass, and run sweeps."""
    end_leases()
    let_checks_be_due()
    for name in names or ("expire_reservations", "send_commands", "retry_events", "reconcile", "recover_events"):
        registry.run(name)


def by_webhook(sandbox: Sandbox) -> None:
    stripe_events.deliver(stripe_events.only(sandbox, "payment_intent.succeeded"))


def by_recovery(sandbox: Sandbox) -> None:
    sweep("recover_events")


def by_a_look(sandbox: Sandbox) -> None:
    sweep("reconcile")


def by_a_person(sandbox: Sandbox) -> None:
    manual_evidence.attest(payment_id=Payment.objects.get().pk, by="user:ana", because="seen at the dashboard")


WAYS = (by_webhook, by_recovery, by_a_look, by_a_person)


def is_a_part() -> Discrepancy:
    """The money is recorded with its evidence, the places are kept, nothing is paid, and a person is told."""
    row = Reservation.objects.select_related("payment__operator").get()
    assert (row.status, row.payments[-1].status, row.payments[-1].amount_captured) == ("confirmed", "succeeded", 1000)
    assert (row.paid_at, row.slot.reserved if row.slot else None) == (None, 1)
    promises.hold()
    registry.run("reconcile")
    (told,) = Discrepancy.objects.exclude(status="resolved")
    assert (told.kind, told.operator, told.payment) == ("partial_capture", row.payments[-1].operator, row.payment)
    assert told.summary.startswith("The provider captured 10.00 USD of 45.00 USD")
    return told


class TestIsMoney:
    @pytest.mark.parametrize("way", WAYS)
    def test_however_it_is_heard_of(self, sandbox: Sandbox, way: Callable[[Sandbox], None]) -> None:
        _, _, made = hold(sandbox)
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 1000)
        way(sandbox)
        is_a_part()
        stripe_events.deliver_all(sandbox)
        is_a_part()

    def test_whose_hold_was_never_heard_of(self, sandbox: Sandbox) -> None:
        sandbox.webhooks("drop")
        slot = SlotFactory.create()
        made = Frontend.of(slot).reserve(slot, card="pm_card_authenticationRequired").json()
        sandbox.authenticate(made["payment"]["provider_ref"])
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 1000)
        assert made["reservation"]["status"] == "awaiting_payment"
        by_webhook(sandbox)
        is_a_part()

    def test_whose_capture_we_had_asked_for_too(self, sandbox: Sandbox) -> None:
        _, frontend, made = hold(sandbox)
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 1000)
        answer = frontend.post(f"reservations/{made['reservation']['id']}/confirm")
        assert (answer.status_code, answer.json()["reservation"]["status"]) == (200, "confirmed")
        by_webhook(sandbox)
        is_a_part()
        assert Command.objects.get(kind="capture").status == "done"

    def test_keeps_its_places_when_the_hold_would_have_run_out(
        self, sandbox: Sandbox, clock: Clock, mailoutbox: list[EmailMessage]
    ) -> None:
        _, _, made = hold(sandbox)
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 1000)
        by_webhook(sandbox)
        clock.advance(timedelta(hours=2))
        assert expiring.expire_due() == 0
        sweep("expire_reservations", "send_commands", "reconcile", "send_mails")
        is_a_part()
        assert [message.to for message in mailoutbox if message.to == ["ana@example.com"]] == []

    def test_of_what_is_over_is_given_back(self, sandbox: Sandbox, mailoutbox: list[EmailMessage]) -> None:
        slot, _, made = hold(sandbox)
        run_out(made["reservation"]["id"])
        expiring.expire_due()
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 1000)
        for _ in range(3):
            sweep()
        row = Reservation.objects.select_related("payment").get()
        slot.refresh_from_db()
        assert (row.status, row.payments[-1].amount_captured, row.payments[-1].amount_refunded, slot.reserved) == (
            "expired", 1000, 1000, 0,
        )  # fmt: skip
        assert not Discrepancy.objects.exclude(status="resolved").exists()
        promises.hold(at_provider=True)
        registry.run("send_mails")
        (late,) = [message for message in mailoutbox if "came too late" in message.subject]
        assert "$10.00" in late.body
        assert "45.00" not in late.body


class TestGuard:
    def test_nothing_is_confirmed_without_a_hold_but_for_a_part(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot, card=None)
        with pytest.raises(DatabaseError, match="no part of its money"):
            Reservation.objects.update(status="confirmed", changed_by="dba", changed_at="2027-01-01T00:00:00Z")
        assert Reservation.objects.get().status == "awaiting_payment"


class TestGiveBack:
    def test_ends_it_when_the_money_has_arrived(self, sandbox: Sandbox, mailoutbox: list[EmailMessage]) -> None:
        slot, _, made = hold(sandbox)
        dashboard.capture(sandbox, made["payment"]["provider_ref"], 1000)
        by_webhook(sandbox)
        told = is_a_part()
        client = sign_in(operator=None)
        act(client, told, "accept", "never mind")
        act(client, told, "recover_events", "look again")
        told.refresh_from_db()
        assert told.status == "open"
        act(client, told, "refund", "a slip at the dashboard")
        told.refresh_from_db()
        assert told.status == "open"  # it is on its way, and has not arrived
        execution.execute_due()
        sweep("recover_events", "reconcile", "send_mails")
        told.refresh_from_db()
        row = Reservation.objects.select_related("payment").get()
        slot.refresh_from_db()
        assert (told.status, told.resolution) == ("resolved", "settled")
        assert (row.status, row.payments[-1].amount_refunded, slot.reserved) == ("refunded", 1000, 0)
        to_guest = [message.subject for message in mailoutbox if message.to == ["ana@example.com"]]
        assert [subject.split(" (")[0] for subject in to_guest] == [
            "Your booking has ended, and your money is returned", "Your refund of $10.00",
        ]  # fmt: skip
        promises.hold(at_provider=True)
