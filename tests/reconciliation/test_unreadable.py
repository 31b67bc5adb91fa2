"""What cannot be read of a provider's lists is counted and told, passed by no mark, and in the way of nothing else."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from booking.models import Reservation
from common import database
from payments.models import CheckAttempt, Payment, Refund
from payments.providers import registry
from payments.providers.base import FindsByKey
from payments.providers.errors import UnreadableError
from reconciliation import payment_totals, settlements
from reconciliation.models import Discrepancy, LedgerEntry, SettlementRun, SettlementStatus, Watermark
from sweeps import health
from sweeps import registry as sweeps
from sweeps.models import SweepRun
from tests.support import odd_events, stripe_events
from tests.support.aging import let_checks_be_due
from tests.support.api import Frontend
from tests.support.desk import sign_in
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.played import Answers, deep, page, play
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

GUEST = "ana@example.com"


@pytest.fixture
def played(settings: Settings, transactional_db: None) -> Iterator[Answers]:
    """Be Stripe for a moment."""
    with play(settings) as answers:
        yield answers


def mark(name: str, *, before: timedelta, account: str = "") -> datetime:
    """Have a list read up to so long ago."""
    until = database.now() - before
    Watermark.objects.create(name=name, provider="stripe", account=account, read_until=until)
    return until


def problems(name: str) -> str:
    """Run a sweep, and return what its page says of it."""
    sweeps.run(name)
    run = SweepRun.objects.get(name=name)
    assert run.finished_at is not None
    return run.error


def hold(ref: str, **changes: Any) -> dict[str, Any]:
    """Write a hold of another installation."""
    about = {"holdfast_payment": "0199a000-0000-7000-8000-000000000001", "customer": GUEST}
    intent: dict[str, Any] = odd_events.sound()["data"]["object"] | {
        "id": ref,
        "status": "requires_capture",
        "metadata": about,
    }
    return intent | changes


def line(number: int, **changes: Any) -> dict[str, Any]:
    """Write a line of the ledger of yesterday, of a payment that is not known here."""
    start, _ = settlements.bounds((datetime.now(UTC) - settlements.LATEST).date() - timedelta(days=1))
    source = {"object": "charge", "payment_intent": f"pi_{number}", "amount_captured": 4500, "currency": "usd"}
    return {
        "id": f"txn_{number}", "type": "charge", "amount": 4500, "fee": 100, "net": 4400, "currency": "usd",
        "created": int(start.timestamp()) + 60, "source": source, **changes,
    }  # fmt: skip


class TestHolds:
    ODD: tuple[Any, ...] = (
        hold("pi_2", currency=GUEST), hold(GUEST, amount=None), deep(150, id="pi_3"), deep(900, id="pi_4"), 5,
    )  # fmt: skip

    def test_the_mark_stays_and_the_others_are_told_of(self, played: Answers, caplog: pytest.LogCaptureFixture) -> None:
        before = mark("holds", before=timedelta(minutes=10))
        played["/v1/payment_intents"] = page(hold("pi_1"), *self.ODD, hold("pi_5"))
        assert problems("release_holds") == "5 of 7 failed (UnreadableError ×5)"
        assert set(Discrepancy.objects.values_list("subject", flat=True)) == {"pi_1", "pi_5"}
        assert Watermark.objects.get(name="holds").read_until == before
        assert health.checks()["sweeps"]["failing"] == ["release_holds"]
        desk = sign_in(operator=None)
        assert "rows failed: release_holds" in desk.get("/admin/").content.decode()
        told = caplog.text + json.dumps([vars(record) for record in caplog.records], default=str)
        assert "pi_2" in told
        assert GUEST not in told
        played["/v1/payment_intents"] = page(hold("pi_1"))
        assert problems("release_holds") == ""
        assert Watermark.objects.get(name="holds").read_until > before
        assert "rows failed" not in desk.get("/admin/").content.decode()

    def test_what_is_behind_a_page_of_them_is_read(self, played: Answers) -> None:
        mark("holds", before=timedelta(minutes=10))
        pages = {"": page(hold("pi_1"), *self.ODD, more=True), "pi_4": page(5, hold("pi_5"))}
        played["/v1/payment_intents"] = lambda _, query: pages[query.get("starting_after", "")]
        assert problems("release_holds") == "6 of 8 failed (UnreadableError ×6)"
        assert set(Discrepancy.objects.values_list("subject", flat=True)) == {"pi_1", "pi_5"}

    def test_a_list_without_an_id_to_go_on_from_ends(self, played: Answers) -> None:
        mark("holds", before=timedelta(minutes=10))
        played["/v1/payment_intents"] = page({}, more=True)
        assert problems("release_holds") == "2 of 2 failed (UnreadableError ×2)"

    def test_a_check_does_not_say_that_all_is_well(self, played: Answers, capsys: pytest.CaptureFixture[str]) -> None:
        played["/v1/payment_intents"] = page(*self.ODD)
        with pytest.raises(SystemExit) as ended:
            call_command("verify", "--provider")
        assert ended.value.code == 3
        told = capsys.readouterr().err
        assert "pi_2: UnreadableError: currency is none" in told
        assert GUEST not in told

    def test_an_old_one_is_not_read_for_ever(self, played: Answers) -> None:
        before = mark("holds", before=timedelta(days=40))
        asked: list[int] = []

        def intents(_: str, query: dict[str, str]) -> bytes:
            asked.append(int(query["created[gte]"]))
            return page()

        played["/v1/payment_intents"] = intents
        assert problems("release_holds") == ""
        assert min(asked) > (before + timedelta(days=31)).timestamp()


class TestEvents:
    @pytest.fixture
    def paying(self, sandbox: Sandbox) -> dict[str, Any]:
        """The event that pays a reservation, and has not come."""
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]
        frontend.post(f"reservations/{made['id']}/confirm")
        return stripe_events.only(sandbox, "payment_intent.succeeded")

    @pytest.mark.parametrize("levels", [150, 600, 900])
    def test_a_deep_one_is_kept_and_the_next_page_read(
        self, paying: dict[str, Any], played: Answers, levels: int
    ) -> None:
        before = mark("events", before=timedelta(minutes=10))
        pages = {"": page(deep(levels, id="evt_deep"), more=True), "evt_deep": page(paying)}
        played["/v1/events"] = lambda _, query: pages[query.get("starting_after", "")]
        assert problems("recover_events") == ""
        assert Reservation.objects.get().status == "paid"
        odd = Event.objects.get(status="failed")
        assert odd.error == "UnreadableError: the body is nested deeper than 100"
        assert Watermark.objects.get(name="events").read_until > before

    @pytest.mark.parametrize(
        "body", [page(deep(3_000, id="evt_deep")), page(b"9" * 5_000), b"\xff{}", b"[]", b'{"data": []}'],
        ids=["deep", "number", "bytes", "list", "half"],
    )  # fmt: skip
    def test_a_page_stops_no_other_time_and_no_other_account(
        self, paying: dict[str, Any], played: Answers, body: bytes
    ) -> None:
        OperatorFactory.create(account="acct_b")
        before = mark("events", before=timedelta(hours=13))
        mark("events", before=timedelta(minutes=1), account="acct_b")
        wrong = int((before + timedelta(hours=3)).timestamp())

        def events(account: str, query: dict[str, str]) -> bytes:
            if account == "acct_b":
                return page(odd_events.sound(id="evt_b"))
            return body if int(query["created[gte]"]) < wrong else page(paying)

        played["/v1/events"] = events
        with pytest.raises(SystemExit) as ended:
            call_command("recover_events", "--dry-run", "--since", before.isoformat())
        assert ended.value.code == 3
        for _ in range(4):  # and it does not pass for a provider that is down
            assert "failed (UnreadableError ×1)" in problems("recover_events")
        assert Reservation.objects.get().status == "paid"
        assert Event.objects.get(event_id="evt_b").account == "acct_b"
        assert Watermark.objects.get(name="events", account="").read_until == before
        assert Watermark.objects.get(name="events", account="acct_b").read_until > before + timedelta(hours=13)


class TestBooks:
    @pytest.mark.parametrize(
        "odd",
        [line(2, amount=None), line(2, currency=GUEST), deep(600, id="txn_2"), None],
        ids=["amount", "currency", "deep", "none"],
    )
    def test_a_line_ends_no_day_for_the_others(self, played: Answers, odd: Any) -> None:
        def lines(_: str, query: dict[str, str]) -> bytes:
            if "starting_after" in query:
                return page(line(3))
            is_read = int(query["created[gte]"]) <= line(1)["created"] < int(query["created[lt]"])
            return page(line(1), odd, more=True) if is_read else page()

        played |= {"/v1/balance_transactions": lines, "/v1/payouts": page()}
        assert problems("settle") == "2 of 6 failed (IncompleteError ×1, UnreadableError ×1)"
        assert set(LedgerEntry.objects.values_list("ref", flat=True)) == {"txn_1", "txn_3"}
        assert set(Discrepancy.objects.values_list("subject", flat=True)) == {"pi_1", "pi_3"}
        assert SettlementRun.objects.get().status == SettlementStatus.READING
        assert not Watermark.objects.filter(name="ledger").exists()
        odd = line(2)
        assert problems("settle") == ""
        assert SettlementRun.objects.get().status == SettlementStatus.DONE
        assert LedgerEntry.objects.count() == 3

    def test_a_payout_and_a_line_of_one_end_no_other(self, played: Answers) -> None:
        paid = {"amount": 4400, "currency": "usd", "status": "paid", "reconciliation_status": "completed"}
        odd, first, second = ({"id": f"po_{n}", "created": line(1)["created"], **paid} for n in range(3))
        of = {"po_1": page(line(1), line(2, net=None)), "po_2": page(line(3))}
        played["/v1/payouts"] = page(odd | {"status": 5}, first, second)
        played["/v1/balance_transactions"] = lambda _, query: of.get(query.get("payout", ""), page())
        assert problems("settle") == "4 of 8 failed (IncompleteError ×2, UnreadableError ×2)"
        paid_out = dict(LedgerEntry.objects.values_list("ref", "payout_ref"))
        assert paid_out == {"txn_1": "po_1", "txn_3": "po_2"}
        assert SettlementRun.objects.get().status == SettlementStatus.READING


class TestRefunds:
    def test_that_cannot_be_read_leave_a_look_and_the_figures_open(self, sandbox: Sandbox, settings: Settings) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        frontend.reserve(slot, capture_method="automatic")
        stripe_events.deliver_all(sandbox)
        payment = Payment.objects.get()
        frontend.post("refunds", {"payment_id": str(payment.pk)})
        sweeps.run("send_commands")
        let_checks_be_due()
        with play(settings) as played:
            played[f"/v1/payment_intents/{payment.provider_ref}"] = sandbox.payment_intents()[0]
            played["/v1/refunds"] = page({"id": Refund.objects.get().provider_ref, "currency": "usd", "amount": GUEST})
            with pytest.raises(UnreadableError, match="amount is no whole number"):
                payment_totals.fetch_theirs(payment)
            sweeps.run("reconcile")
        look = CheckAttempt.objects.get()
        assert (look.result, look.error) == ("failed", "amount is no whole number")
        assert Refund.objects.get().status == "pending"

    def test_a_command_is_not_taken_for_one_that_made_nothing(self, played: Answers) -> None:
        provider, near = registry.get("stripe"), database.now()
        assert isinstance(provider, FindsByKey)
        mine = {"holdfast_command": "key"}
        played["/v1/payment_intents"] = page(hold("pi_1"), 5, hold("pi_2", metadata=mine))
        found = provider.find(key="key", near=near, account="")
        assert found is not None
        assert found.ref == "pi_2"
        for unread in (page(hold("pi_1"), 5), page(deep(3_000))):
            played |= {"/v1/payment_intents": unread, "/v1/refunds": unread}
            with pytest.raises(UnreadableError):
                provider.find(key="key", near=near, account="")
            with pytest.raises(UnreadableError):
                provider.find_refund(ref="pi_1", key="key", account="")
