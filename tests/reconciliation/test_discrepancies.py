"""Discrepancies: opened once, kept as they were seen, resolved by a person with a reason, by what everybody calls."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from pytest_django import Settings

from booking.models import Reservation
from common.states import InvalidStateError
from payments.models import Command, Payment, Refund
from reconciliation import discrepancies
from reconciliation.models import Discrepancy, DiscrepancyKind
from sweeps import registry
from tests.support import promises, stripe_events
from tests.support.aging import end_leases, let_checks_be_due
from tests.support.api import Frontend
from tests.support.desk import act, page_of, sign_in
from tests.support.discrepancies import STRIPE, open_one
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race
from webhooks import inbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


class TestOpen:
    def test_once_however_many_see_it(self) -> None:
        assert (
            sum(
                race(
                    [
                        lambda: discrepancies.open_once(
                            kind=DiscrepancyKind.AMOUNT,
                            account=STRIPE,
                            subject="pi_1",
                            summary="",
                            difference={},
                            seen={},
                        )
                    ]
                    * 8
                )
            )
            == 1
        )

    def test_again_when_it_was_resolved_and_comes_back(self) -> None:
        first = open_one()
        discrepancies.resolve(discrepancy_id=first.pk, by="user:a", because="mended", resolution="refunded")
        assert open_one().pk != first.pk

    def test_not_again_when_it_was_accepted_as_it_is(self) -> None:
        first = open_one()
        discrepancies.resolve(discrepancy_id=first.pk, by="user:a", because="known", resolution="accepted")
        assert open_one().pk == first.pk
        assert open_one(difference={"ours": {"captured": 1}, "theirs": {"captured": 3}}).pk != first.pk


class TestFailedEvents:
    def test_one_that_contradicts_us_is_told_and_resolved_when_it_is_applied(
        self, sandbox: Sandbox, settings: Settings
    ) -> None:
        settings.EVENT_MAX_ATTEMPTS = 1
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot, capture_method="automatic")
        Payment.objects.update(amount=4501)
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        stripe_events.deliver(event)
        registry.run("reconcile")
        registry.run("reconcile")
        row = Discrepancy.objects.get(kind="event")
        assert (row.subject, row.operator, row.evidence["event"]["captured"]) == (
            event["id"], slot.activity.operator, 4500,
        )  # fmt: skip
        Payment.objects.update(amount=4500)
        assert inbox.retry(event_id=Event.objects.get(event_id=event["id"]).pk)
        registry.run("reconcile")
        row.refresh_from_db()
        assert (row.status, row.resolution) == ("resolved", "settled")
        assert Reservation.objects.get().status == "paid"


class TestStates:
    def test_open_acknowledged_resolved(self) -> None:
        row = open_one()
        discrepancies.acknowledge(discrepancy_id=row.pk, by="user:a", because="looking")
        with pytest.raises(InvalidStateError):
            discrepancies.acknowledge(discrepancy_id=row.pk, by="user:b", because="me too")
        discrepancies.resolve(discrepancy_id=row.pk, by="user:a", because="known", resolution="accepted")
        with pytest.raises(InvalidStateError):
            discrepancies.resolve(discrepancy_id=row.pk, by="user:b", because="again", resolution="accepted")
        row.refresh_from_db()
        assert (row.acknowledged_by, row.acknowledged_because) == ("user:a", "looking")
        assert (row.resolved_by, row.resolved_because, row.resolution) == ("user:a", "known", "accepted")

    @pytest.mark.parametrize(
        "change",
        [
            "status = 'open', resolved_at = NULL, acknowledged_at = NULL",
            "difference = '{}'",
            "evidence = '{}'",
            "summary = 'nothing'",
            "resolved_because = 'another reason'",
        ],
    )
    def test_the_database_keeps_what_was_seen_and_decided(self, change: str) -> None:
        row = open_one()
        discrepancies.resolve(discrepancy_id=row.pk, by="user:a", because="known", resolution="accepted")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE reconciliation_discrepancy SET {change}")  # noqa: S608  # a constant of this test

    def test_the_database_wants_a_reason(self) -> None:
        open_one()
        with pytest.raises(IntegrityError), transaction.atomic():
            Discrepancy.objects.update(status="resolved", resolved_at="2026-01-01T00:00:00Z", resolved_by="x")

    def test_the_database_keeps_it(self) -> None:
        row = open_one()
        with pytest.raises(DatabaseError), transaction.atomic():
            row.delete()


@pytest.fixture
def slot(sandbox: Sandbox) -> Any:
    """A departure whose webhooks never come."""
    sandbox.webhooks("drop")
    return SlotFactory.create()


def sell(slot: Any, *, capture_method: str = "automatic") -> Payment:
    """Sell a place."""
    made = Frontend.of(slot).reserve(slot, capture_method=capture_method).json()["payment"]["id"]
    return Payment.objects.get(pk=made)


class TestActions:
    """Through the backoffice, as a person does it."""

    def resolve(self, row: Discrepancy, action: str, *, client: Client | None = None) -> Discrepancy:
        """Choose an action and give a reason."""
        client = client or sign_in(operator=None)
        assert client.get(page_of(row)).status_code == 200
        answer = act(client, row, action, "as agreed with Ana")
        assert answer.status_code == 200
        row.refresh_from_db()
        return row

    def test_recovers_the_event(self, slot: Any) -> None:
        payment = sell(slot)
        row = self.resolve(open_one(payment, kind=DiscrepancyKind.STATUS), "recover_events")
        assert (row.status, row.resolution, row.resolved_by) == ("resolved", "event recovered", "user:root")
        assert row.resolved_because == "as agreed with Ana"
        assert Reservation.objects.get().status == "paid"

    def test_sends_the_command_again(self, slot: Any, sandbox: Sandbox) -> None:
        sandbox.fault("POST /v1/payment_intents", "drop_answer", times=5)
        Frontend.of(slot).reserve(slot)
        for _ in range(5):
            end_leases()
            registry.run("send_commands")
        registry.run("reconcile")
        row = self.resolve(Discrepancy.objects.get(kind="stuck"), "send_again")
        assert row.resolution == "command sent again"
        end_leases()
        registry.run("send_commands")
        assert Reservation.objects.get().status == "pending"
        assert Command.objects.filter(kind="authorize").count() == 1

    def test_refunds(self, slot: Any) -> None:
        payment = sell(slot)
        registry.run("recover_events")
        assert self.resolve(open_one(payment), "refund").resolution == "refunded"
        registry.run("send_commands")
        registry.run("recover_events")
        assert Refund.objects.get().status == "succeeded"
        assert Reservation.objects.get().status == "refunded"

    def test_vouches_for_money_whose_event_cannot_be_had(self, slot: Any, sandbox: Sandbox) -> None:
        payment = sell(slot)
        row = self.resolve(open_one(payment, kind=DiscrepancyKind.STATUS), "attest")
        assert row.resolution == "attested"
        assert Reservation.objects.get().status == "paid"
        event = Event.objects.get()
        assert (event.source, event.attested_by, event.attested_because) == (
            "attested", "user:root", "as agreed with Ana",
        )  # fmt: skip
        stripe_events.deliver_all(sandbox)
        assert Payment.objects.get().amount_captured == 4500
        promises.hold(at_provider=True)

    def test_vouches_for_nothing_that_the_provider_does_not_say(self, slot: Any) -> None:
        payment = sell(slot, capture_method="manual")
        row = self.resolve(open_one(payment, kind=DiscrepancyKind.STATUS), "attest")
        assert row.status == "open"
        assert not Event.objects.exists()
        assert Reservation.objects.get().status == "pending"

    def test_accepts(self) -> None:
        assert self.resolve(open_one(), "accept").resolution == "accepted"

    def test_does_not_accept_what_is_not_known(self, slot: Any, sandbox: Sandbox) -> None:
        sell(slot, capture_method="manual")
        sandbox.fault("GET /v1/payment_intents/*", "error_before", times=5)
        for _ in range(5):
            let_checks_be_due()
            end_leases()
            registry.run("reconcile")
        assert self.resolve(Discrepancy.objects.get(), "accept").status == "open"

    def test_releases_only_what_is_not_needed(self, slot: Any, sandbox: Sandbox) -> None:
        payment = sell(slot, capture_method="manual")
        assert self.resolve(open_one(payment), "release_hold").status == "open"
        assert sandbox.payment_intents()[0]["status"] == "requires_capture"

    def test_acknowledges(self) -> None:
        row = self.resolve(open_one(), "acknowledge")
        assert (row.status, row.acknowledged_by) == ("acknowledged", "user:root")

    @pytest.mark.parametrize("action", ["accept", "refund", "attest", "acknowledge"])
    def test_another_operators_is_out_of_reach(self, slot: Any, action: str) -> None:
        row = open_one(sell(slot))
        stranger = sign_in(operator=OperatorFactory.create())
        assert stranger.get(page_of(row)).status_code == 302
        act(stranger, row, action, "because")
        row.refresh_from_db()
        assert row.status == "open"

    @pytest.mark.parametrize("name", ["settlementrun", "ledgerentry"])
    def test_the_books_are_for_superusers(self, name: str) -> None:
        person = sign_in(operator=OperatorFactory.create())
        assert person.get(f"/admin/reconciliation/{name}/").status_code == 403


def test_every_action_needs_a_reason() -> None:
    row = open_one()
    act(sign_in(operator=None), row, "accept", None)
    row.refresh_from_db()
    assert row.status == "open"
