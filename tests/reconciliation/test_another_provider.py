"""Reconciliation with a provider that lists no events and no payouts (``tests/support/pix.py``)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from booking.models import Reservation
from payments.models import CheckAttempt
from reconciliation import manual_evidence, payment_totals, settlements
from reconciliation.accounts import Account
from reconciliation.models import Discrepancy, LedgerEntry
from sweeps import registry as sweeps
from sweeps.models import SweepRun
from tests.support import pix, promises
from tests.support.aging import let_checks_be_due
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.pix import PixProvider
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(name="provider")
def _provider(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[PixProvider]:
    with pix.playing(monkeypatch) as provider:
        yield provider


@pytest.fixture(name="frontend")
def _frontend(provider: PixProvider) -> Frontend:
    """The frontend of an operator with a place that is reserved and not paid yet."""
    slot = SlotFactory.create(activity__currency="BRL")
    frontend = Frontend.of(slot)
    assert pix.reserve(frontend, slot).status_code == 201
    return frontend


def paid(provider: PixProvider) -> None:
    """Have the code paid, and heard of."""
    assert pix.notify(provider.pay()["id"]) == 200
    sweeps.run("look_up_notices")


def status() -> tuple[str, str, int, int]:
    reservation = Reservation.objects.get()
    payment = reservation.payments[-1]
    return reservation.status, payment.status, payment.amount_captured, payment.amount_refunded


class TestReconciling:
    def test_a_notification_that_never_came_is_made_up_for_by_a_look(
        self, provider: PixProvider, frontend: Frontend
    ) -> None:
        provider.pay()
        let_checks_be_due()
        sweeps.run("reconcile")
        assert status() == ("paid", "succeeded", 4500, 0)
        assert (CheckAttempt.objects.get().result, Event.objects.get().source) == ("recovered", "looked_up")
        promises.hold()

    def test_a_refund_that_was_never_heard_of_too(self, provider: PixProvider, frontend: Frontend) -> None:
        paid(provider)
        frontend.post("refunds", {"payment_id": str(Reservation.objects.get().payment_id)})
        sweeps.run("send_commands")
        provider.finish_refunds()
        let_checks_be_due()
        sweeps.run("reconcile")
        assert status() == ("refunded", "succeeded", 4500, 4500)
        promises.hold()

    def test_a_day_is_settled_by_its_ledger_without_payouts(
        self, provider: PixProvider, frontend: Frontend, settings: Any
    ) -> None:
        settings.RECONCILE_AFTER_SECONDS = 0
        paid(provider)
        account, today = Account("pix"), timezone.now().date()
        run = settlements.settle(account=account, day=today)
        assert (run.status, run.payments, run.payouts, run.differences) == ("done", 1, 0, 0)
        line = LedgerEntry.objects.get()
        assert (line.kind, line.category, line.amount, line.fee) == ("charge", "payment", 4500, 45)
        provider.payments["1000000000"]["transaction_amount"] = "46.00"
        settlements.settle(account=account, day=today)
        assert Discrepancy.objects.exists()

    def test_sweeps_leave_out_what_it_cannot_do(self, provider: PixProvider, frontend: Frontend) -> None:
        for name in ("recover_events", "release_holds", "settle"):
            sweeps.run(name)
            assert SweepRun.objects.get(name=name).error == "", name
        promises.hold(at_provider=True)

    def test_a_person_vouches_and_figures_are_compared(self, provider: PixProvider, frontend: Frontend) -> None:
        payment = Reservation.objects.get().payments[-1]
        with pytest.raises(manual_evidence.NotCapturedError):
            manual_evidence.attest(payment_id=payment.pk, by="root", because="the bank says so")
        provider.pay()
        manual_evidence.attest(payment_id=payment.pk, by="root", because="the bank says so")
        assert status() == ("paid", "succeeded", 4500, 0)
        assert payment_totals.fetch_theirs(payment) == payment_totals.get_ours(payment)
