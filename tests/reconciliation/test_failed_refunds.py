"""Late bad news about a refund: refused, hanging, or sent back by the bank. It is asked for again, and told."""

from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection

from booking import expiring
from booking.models import Reservation
from payments.models import Command, Payment, Refund
from reconciliation.models import Discrepancy
from reconciliation.promises import check_all
from sweeps import registry
from tests.support import dashboard, promises, stripe_events
from tests.support.aging import end_leases, run_out
from tests.support.api import Frontend
from tests.support.desk import act, sign_in
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

SHORT = {"code": "balance_insufficient"}
CLOSED = {"code": "charge_disputed"}


def paid(sandbox: Sandbox) -> tuple[Frontend, Payment]:
    """Sell a place that is paid."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    frontend.reserve(slot, capture_method="automatic")
    stripe_events.deliver_all(sandbox)
    return frontend, Payment.objects.get()


def late(sandbox: Sandbox) -> Payment:
    """Take money for a reservation that is over, and whose place is another's: it is given back by itself."""
    slot = SlotFactory.create(capacity=1)
    frontend = Frontend.of(slot)
    made = frontend.reserve(slot, card=None, capture_method="automatic").json()
    run_out(made["reservation"]["id"])
    expiring.expire_due()
    assert frontend.reserve(slot).status_code == 201
    sandbox.pay(made["payment"]["provider_ref"])
    stripe_events.deliver(stripe_events.happened(sandbox, "payment_intent.succeeded")[-1])
    return Payment.objects.get(pk=made["payment"]["id"])


def refuse(sandbox: Sandbox, error: dict[str, str], *, times: int | None = None) -> None:
    sandbox.fault("POST /v1/refunds", "refuse", times=times, error=error)


def sweep(sandbox: Sandbox) -> None:
    """Let time pass; send, hear, look, and tell."""
    end_leases()
    registry.run("send_commands")
    stripe_events.deliver_all(sandbox)
    registry.run("reconcile")


def told() -> Discrepancy:
    """Return the one discrepancy that is open."""
    return Discrepancy.objects.exclude(status="resolved").get()


def figures(payment: Payment) -> tuple[int, int, int]:
    payment.refresh_from_db()
    return payment.amount_captured, payment.amount_refunding, payment.amount_refunded


class TestForNow:
    def test_is_told_at_once_and_asked_for_again_until_it_is_taken(self, sandbox: Sandbox) -> None:
        payment = late(sandbox)
        refuse(sandbox, SHORT, times=2)
        sweep(sandbox)
        row = told()
        assert (row.kind, row.operator, row.payment) == ("refund_failed", payment.operator, payment)
        assert row.summary.startswith("A refund of 45.00 USD hangs (balance_insufficient). It is asked for again")
        assert figures(payment) == (4500, 4500, 0)
        promises.hold()
        for _ in range(3):
            sweep(sandbox)
        row.refresh_from_db()
        assert (row.status, row.resolution) == ("resolved", "settled")
        assert figures(payment) == (4500, 0, 4500)
        keys = {command.idempotency_key for command in Command.objects.filter(kind="refund")}
        assert len(keys) == 3  # the provider saves a refusal under its key
        assert [refund["amount"] for refund in sandbox.state()["refunds"]] == [4500]

    def test_it_fails_when_it_was_refused_for_days(self, sandbox: Sandbox) -> None:
        payment = late(sandbox)
        refuse(sandbox, SHORT)
        sweep(sandbox)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE payments_refund SET created_at = created_at - interval '4 days'")
        sweep(sandbox)
        assert Refund.objects.get().status == "failed"
        row = told()
        assert row.kind == "refund_failed"
        assert row.summary.startswith("A refund of 45.00 USD did not go through"), "it was told that it hangs"
        assert figures(payment) == (4500, 0, 0)

    def test_a_person_may_have_it_asked_for_now(self, sandbox: Sandbox) -> None:
        payment = late(sandbox)
        refuse(sandbox, SHORT, times=1)
        registry.run("send_commands")
        registry.run("reconcile")
        registry.run("send_commands")  # it waits
        assert figures(payment) == (4500, 4500, 0)
        act(sign_in(operator=None), told(), "refund_again", "the balance is filled")
        registry.run("send_commands")
        stripe_events.deliver_all(sandbox)
        assert figures(payment) == (4500, 0, 4500)

    def test_a_person_may_give_it_another_way(self, sandbox: Sandbox) -> None:
        payment = late(sandbox)
        refuse(sandbox, SHORT, times=1)
        registry.run("send_commands")
        registry.run("reconcile")
        row = told()
        act(sign_in(operator=None), row, "refunded_otherwise", "by bank transfer, 12 May")
        row.refresh_from_db()
        assert (row.resolution, row.resolved_because) == ("done another way", "by bank transfer, 12 May")
        for _ in range(2):
            sweep(sandbox)
        assert (Refund.objects.get().status, figures(payment)) == ("canceled", (4500, 0, 0))
        assert sandbox.state()["refunds"] == []
        assert not Discrepancy.objects.exclude(status="resolved").exists()
        promises.hold()


class TestForGood:
    @pytest.mark.parametrize("amount", [None, 1500])
    def test_a_refusal_of_what_a_client_asks_for_is_told(self, sandbox: Sandbox, amount: int | None) -> None:
        frontend, payment = paid(sandbox)
        refuse(sandbox, CLOSED, times=1)
        body = {"payment_id": str(payment.pk)} | ({} if amount is None else {"amount": amount})
        assert frontend.post("refunds", body).status_code == 201
        sweep(sandbox)
        row = told()
        money = "45.00" if amount is None else "15.00"
        assert row.summary == f"A refund of {money} USD did not go through (charge_disputed): it is still owed."
        client = sign_in(operator=None)
        act(client, row, "accept", "no")
        row.refresh_from_db()
        assert row.status == "open"
        act(client, row, "refund_again", "the bank has let it go")
        row.refresh_from_db()
        assert (row.status, row.resolution) == ("resolved", "asked again")
        sweep(sandbox)
        failed, anew = Refund.objects.order_by("id")
        assert (anew.replaces, anew.status, anew.amount) == (failed, "succeeded", amount or 4500)
        assert not Discrepancy.objects.exclude(status="resolved").exists()

    def test_two_people_ask_again_once(self, sandbox: Sandbox) -> None:
        frontend, payment = paid(sandbox)
        refuse(sandbox, CLOSED, times=1)
        frontend.post("refunds", {"payment_id": str(payment.pk), "amount": 1500})
        sweep(sandbox)
        row, client = told(), sign_in(operator=None)
        act(client, row, "refund_again", "once")
        act(client, row, "refund_again", "twice")
        assert Refund.objects.count() == 2


class TestSentBack:
    def send_back(self, sandbox: Sandbox, payment: Payment) -> None:
        refund = payment.refunds.get()
        assert refund.status == "succeeded"
        sandbox.fail_refund(refund.provider_ref)
        stripe_events.deliver_all(sandbox)
        registry.run("reconcile")

    def test_of_late_money(self, sandbox: Sandbox) -> None:
        payment = late(sandbox)
        sweep(sandbox)
        self.send_back(sandbox, payment)
        assert told().summary == (
            "A refund of 45.00 USD did not go through (expired_or_canceled_card): it is still owed."
        )
        assert Reservation.objects.get(payment=payment).status == "expired"
        promises.hold()

    def test_of_a_reservation_that_is_refunded_stays_so_and_is_owed(
        self, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        frontend, payment = paid(sandbox)
        frontend.post("refunds", {"payment_id": str(payment.pk)})
        sweep(sandbox)
        self.send_back(sandbox, payment)
        reservation = Reservation.objects.get()
        assert (reservation.status, figures(payment)) == ("refunded", (4500, 0, 0))
        row, client = told(), sign_in(operator=None)
        act(client, row, "refunded_otherwise", "cash at the pier")
        registry.run("reconcile")
        assert not Discrepancy.objects.exclude(status="resolved").exists()
        promises.hold()

    def test_made_at_the_dashboard(self, sandbox: Sandbox) -> None:
        _, payment = paid(sandbox)
        dashboard.refund(sandbox, payment.provider_ref, 1000)
        stripe_events.deliver_all(sandbox)
        self.send_back(sandbox, payment)
        assert told().kind == "refund_failed"
        dashboard.refund(sandbox, payment.provider_ref)
        stripe_events.deliver_all(sandbox)
        registry.run("reconcile")
        assert not Discrepancy.objects.exclude(status="resolved").exists()

    def test_untold_it_breaks_a_promise(self, sandbox: Sandbox) -> None:
        payment = late(sandbox)
        sweep(sandbox)
        sandbox.fail_refund(payment.refunds.get().provider_ref)
        stripe_events.deliver_all(sandbox)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE payments_refund SET changed_at = changed_at - interval '1 hour'")
        broken = {verdict.promise.number: verdict.examples for verdict in check_all() if verdict.breaches}
        assert list(broken) == ["P8"]
        assert broken["P8"][0][1] == "expired, and 45.00 USD are neither back nor on their way"
        registry.run("reconcile")
        promises.hold()


class TestWhateverItsStatus:
    @pytest.mark.parametrize("status", ["failed", "canceled"])
    def test_late_money_of_a_closed_payment_can_be_given_back(self, sandbox: Sandbox, status: str) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        reserved = frontend.reserve(slot, card=None, capture_method="automatic").json()
        made = reserved["payment"]
        sandbox.fault("POST /v1/payment_intents/*/cancel", "error_before")
        assert frontend.post(f"reservations/{reserved['reservation']['id']}/cancel").status_code == 200
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE payments_payment SET status = %s, changed_at = now(), changed_because = 'test'", [status]
            )
        sandbox.pay(made["provider_ref"])
        refuse(sandbox, CLOSED, times=1)
        stripe_events.deliver_all(sandbox)
        sweep(sandbox)
        assert told().kind == "refund_failed"
        assert frontend.post("refunds", {"payment_id": made["id"]}).status_code == 201
        sweep(sandbox)
        payment = Payment.objects.get()
        assert (payment.status, figures(payment)) == (status, (4500, 0, 4500))
        assert not Discrepancy.objects.exclude(status="resolved").exists()

    def test_a_disputed_one_is_refused_in_words(self, sandbox: Sandbox) -> None:
        frontend, payment = paid(sandbox)
        sandbox.dispute(payment.provider_ref)
        stripe_events.deliver_all(sandbox)
        refused = frontend.post("refunds", {"payment_id": str(payment.pk)})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "payment_disputed")
        assert not Refund.objects.exists()
        dispute = payment.disputes.get()
        sandbox.close_dispute(dispute.provider_ref, result="won")
        stripe_events.deliver_all(sandbox)
        assert frontend.post("refunds", {"payment_id": str(payment.pk)}).status_code == 201


class TestAtTheProvider:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"status": "requires_action"}, "requires_action"),
            ({"status": "pending", "pending_reason": "insufficient_funds"}, "insufficient_funds"),
        ],
    )
    def test_one_that_hangs_there_is_told_until_it_arrives(
        self, sandbox: Sandbox, changes: dict[str, Any], code: str
    ) -> None:
        _, payment = paid(sandbox)
        dashboard.refund(sandbox, payment.provider_ref, 1000)
        event = stripe_events.only(sandbox, "refund.created")
        hanging = event["data"]["object"] | {"balance_transaction": None} | changes
        stripe_events.deliver(event | {"id": "evt_hangs", "data": {"object": hanging}})
        registry.run("reconcile")
        row = told()
        assert (row.summary, figures(payment)) == (f"A refund of 10.00 USD hangs ({code}).", (4500, 1000, 0))
        act(sign_in(operator=None), row, "refunded_otherwise", "no, the provider has it")
        row.refresh_from_db()
        assert row.status == "open"
        stripe_events.deliver(event)
        registry.run("reconcile")
        row.refresh_from_db()
        assert (row.status, figures(payment)) == ("resolved", (4500, 0, 1000))

    def test_one_that_is_canceled_there_is_told(self, sandbox: Sandbox) -> None:
        _, payment = paid(sandbox)
        dashboard.refund(sandbox, payment.provider_ref, 1000)
        event = stripe_events.only(sandbox, "refund.created")
        waiting = event["data"]["object"] | {"status": "pending", "pending_reason": "processing"}
        stripe_events.deliver(event | {"id": "evt_1", "data": {"object": waiting}})
        canceled = waiting | {"status": "canceled"}
        stripe_events.deliver(event | {"id": "evt_2", "type": "refund.updated", "data": {"object": canceled}})
        registry.run("reconcile")
        assert told().summary == "A refund of 10.00 USD did not go through (canceled): it is still owed."
        assert figures(payment) == (4500, 0, 0)
