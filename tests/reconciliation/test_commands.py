"""The commands for people: what they tell, what they leave alone, and how they end for a cron job."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from booking.models import Reservation
from payments.models import CheckAttempt, Payment
from reconciliation import discrepancies
from reconciliation.accounts import Account
from reconciliation.models import DiscrepancyKind
from tests.support.aging import end_leases, let_checks_be_due
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> tuple[int, Any]:
    """Run a command with ``--json``; returns its exit status and what it told."""
    out = StringIO()
    try:
        call_command(*arguments, "--json", stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue() or "null")
    return 0, json.loads(out.getvalue())


def sell(sandbox: Sandbox, *, confirm: bool = True) -> Payment:
    """Sell a place; no webhook comes."""
    sandbox.webhooks("drop")
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    made = frontend.reserve(slot).json()
    if confirm:
        assert frontend.post(f"reservations/{made['reservation']['id']}/confirm").status_code == 200
    return Payment.objects.get(pk=made["payment"]["id"])


def writes(sandbox: Sandbox) -> int:
    """Count the calls that ask the provider for something."""
    return sum(call["method"] == "POST" for call in sandbox.state()["calls"])


class TestReconcile:
    def test_nothing_due(self, sandbox: Sandbox) -> None:
        sell(sandbox)
        assert run("reconcile") == (0, {"rows": [], "summary": {"payments": 0, "stuck": 0}})

    def test_what_is_due(self, sandbox: Sandbox) -> None:
        payment = sell(sandbox)
        let_checks_be_due()
        status, told = run("reconcile")
        assert status == 0
        assert told["rows"][0] | {"what": ""} == {
            "payment": payment.provider_ref, "here": "processing", "there": "captured", "result": "recovered",
            "what": "",
        }  # fmt: skip
        assert Reservation.objects.get().status == "paid"

    @pytest.mark.parametrize("by", ["pk", "provider_ref"])
    def test_one_payment_due_or_not(self, sandbox: Sandbox, by: str) -> None:
        payment = sell(sandbox)
        sell(sandbox)
        assert run("reconcile", "--payment", str(getattr(payment, by)))[1]["summary"]["payments"] == 1
        assert Reservation.objects.filter(status="paid").count() >= 1

    def test_of_one_operator(self, sandbox: Sandbox) -> None:
        payment = sell(sandbox, confirm=False)
        sell(sandbox, confirm=False)
        _, told = run("reconcile", "--operator", payment.operator.slug)
        assert [row["payment"] for row in told["rows"]] == [payment.provider_ref]

    def test_since(self, sandbox: Sandbox) -> None:
        sell(sandbox, confirm=False)
        assert run("reconcile", "--since", "2020-01-01")[1]["summary"]["payments"] == 1
        assert run("reconcile", "--since", "2999-01-01T00:00:00Z")[1]["summary"]["payments"] == 0

    def test_a_dry_run_changes_nothing_here_or_there(self, sandbox: Sandbox) -> None:
        sell(sandbox)
        let_checks_be_due()
        before, there = list(Payment.objects.values()), writes(sandbox)
        status, told = run("reconcile", "--dry-run")
        assert (status, told["rows"][0]["result"]) == (0, "would fetch events")
        assert list(Payment.objects.values()) == before
        assert (CheckAttempt.objects.count(), Event.objects.count(), writes(sandbox)) == (0, 0, there)

    def test_a_provider_that_does_not_answer(self, sandbox: Sandbox) -> None:
        sell(sandbox)
        let_checks_be_due()
        sandbox.fault("GET /v1/payment_intents/*", "error_before", times=2)
        assert run("reconcile", "--dry-run")[0] == 3
        assert run("reconcile")[0] == 3

    def test_a_stuck_payment(self, sandbox: Sandbox) -> None:
        payment = sell(sandbox, confirm=False)
        sandbox.fault("GET /v1/payment_intents/*", "error_before", times=5)
        ends = []
        for _ in range(5):
            end_leases()
            ends.append(run("reconcile", "--payment", str(payment.pk))[0])
        assert ends == [3, 3, 3, 3, 1]

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (["--payment", "pi_unknown"], "no payment pi_unknown"),
            (["--operator", "nobody"], "no operator nobody"),
            (["--since", "yesterday"], "yesterday is not a time"),
            (["--since", "2026-13-01"], "2026-13-01 is not a time"),
        ],
    )
    def test_wrong_options(self, arguments: list[str], why: str) -> None:
        with pytest.raises(CommandError, match=why):
            call_command("reconcile", *arguments)


class TestRecoverEvents:
    def test_takes_in_what_never_came(self, sandbox: Sandbox) -> None:
        sell(sandbox)
        status, told = run("recover_events")
        assert status == 0
        assert told["summary"]["events"] == Event.objects.count() > 0
        assert Reservation.objects.get().status == "paid"
        assert run("recover_events")[1]["summary"]["events"] == 0

    def test_a_dry_run_only_lists(self, sandbox: Sandbox) -> None:
        sell(sandbox)
        status, told = run("recover_events", "--dry-run")
        assert status == 0
        assert "payment_intent.succeeded" in {row["type"] for row in told["rows"]}
        assert not Event.objects.exists()

    def test_since_reads_again_what_was_read(self, sandbox: Sandbox) -> None:
        sell(sandbox)
        run("recover_events")
        Event.objects.filter(status="ignored").delete()
        assert run("recover_events", "--since", "2020-01-01")[0] == 0

    def test_a_provider_that_does_not_answer(self, sandbox: Sandbox) -> None:
        sandbox.fault("GET /v1/events", "error_before", times=2)
        assert run("recover_events")[0] == 3
        assert run("recover_events", "--dry-run")[0] == 3


class TestDiscrepancies:
    def test_tells_what_waits(self) -> None:
        assert run("discrepancies") == (0, {"rows": [], "summary": {"unresolved": 0}})
        discrepancies.open_once(
            kind=DiscrepancyKind.LATE, account=Account("stripe"), subject="pi_1", summary="late", difference={}, seen={}
        )
        status, told = run("discrepancies")
        assert (status, told["summary"], told["rows"][0]["subject"]) == (1, {"unresolved": 1}, "pi_1")
        assert run("discrepancies", "--kind", "amount")[0] == 0
        assert run("discrepancies", "--operator", OperatorFactory.create().slug)[0] == 0

    def test_tells_people_in_a_table(self) -> None:
        discrepancies.open_once(
            kind=DiscrepancyKind.LATE, account=Account("stripe"), subject="pi_1", summary="late", difference={}, seen={}
        )
        out = StringIO()
        with pytest.raises(SystemExit):
            call_command("discrepancies", stdout=out)
        assert "pi_1" in out.getvalue()
        assert "unresolved: 1" in out.getvalue()


class TestSettle:
    DAY = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    """What came into the books since a day is read with it: of one long ago that takes long."""

    def test_a_day_without_books(self, sandbox: Sandbox) -> None:
        status, told = run("settle", "--date", self.DAY)
        assert (status, told["summary"]) == (0, {"date": self.DAY, "payments": 0, "differences": 0})

    def test_a_provider_that_does_not_answer(self, sandbox: Sandbox) -> None:
        sandbox.fault("GET /v1/balance_transactions", "error_before")
        assert run("settle", "--date", self.DAY)[0] == 3

    def test_a_wrong_day(self) -> None:
        with pytest.raises(CommandError, match="not a day"):
            call_command("settle", "--date", "tomorrow")
