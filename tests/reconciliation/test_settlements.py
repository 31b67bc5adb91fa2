"""Settlement: our payments against the provider's books, to the cent; exactly what differs is found, of its kind."""

import json
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from booking.models import Reservation
from common import database
from payments.models import Payment
from payments.providers import registry
from payments.states import LedgerKind
from reconciliation import ledger, ledger_comparison, settlements
from reconciliation.accounts import Account
from reconciliation.models import Discrepancy, LedgerEntry, SettlementRun, SettlementStatus
from sweeps import registry as sweeps
from tests.reconciliation import played_ledger
from tests.reconciliation.played_ledger import Played
from tests.support import promises, stripe_events
from tests.support.api import Frontend
from tests.support.environment import sized
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race
from tests.support.virtual_clock import Clock

pytestmark = pytest.mark.django_db(transaction=True)

STRIPE = Account("stripe")


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Callable[[int], Played]]:
    """Have a provider of so many payments, and the same payments here."""
    settings.PROVIDER_CALLS_PER_MINUTE = 1_000_000

    def make(number: int) -> Played:
        at = played_ledger.yesterday()
        played_ledger.fill(number=number, at=at)
        made = Played(number=number, at=at)
        monkeypatch.setitem(registry._MAKERS, "stripe", lambda: made)
        registry.get.cache_clear()
        return made

    yield make
    registry.get.cache_clear()


def settle(at: datetime) -> SettlementRun:
    """Settle the day of a time."""
    return settlements.settle(account=STRIPE, day=at.date())


def found() -> Counter[tuple[str, str]]:
    """Return what discrepancies there are: the kind and what it is about."""
    return Counter(Discrepancy.objects.values_list("kind", "subject"))


def plant(provider: Played) -> Counter[tuple[str, str]]:
    """Plant differences of every kind; returns what must be found."""
    at = provider.at
    provider.changed |= {f"pi_{number}": None for number in (11, 12, 13)}
    provider.changed |= {"pi_21": replace(played_ledger.charge(21, at), moved=4499)}
    provider.changed |= {"pi_22": replace(played_ledger.charge(22, at), amount=4501, net=4340, moved=4501)}
    provider.changed |= {"pi_31": replace(played_ledger.charge(31, at), moved_currency="EUR")}
    provider.changed |= {"pi_41": replace(played_ledger.charge(41, at), net=4400)}
    provider.more += [played_ledger.foreign(number, at) for number in (1, 2)]
    provider.more.append(
        replace(
            played_ledger.charge(51, at),
            ref="txn_refund",
            kind=LedgerKind.REFUND,
            amount=-100,
            fee=0,
            net=-100,
            moved=-100,
        )
    )
    played_ledger.take_back(refs=["pi_61", "pi_62"], status="processing")
    played_ledger.take_back(refs=["pi_71"], status="canceled")
    provider.payout_amount = 43_391
    return Counter(
        [("missing_there", f"pi_{number}") for number in (11, 12, 13)]
        + [("amount", "pi_21"), ("amount", "pi_22"), ("currency", "pi_31"), ("amount", "txn_41")]
        + [("missing_here", "pi_foreign_1"), ("missing_here", "pi_foreign_2"), ("amount", "pi_51")]
        + [("status", "pi_61"), ("status", "pi_62"), ("late", "pi_71"), ("amount", "po_1")]
    )


class TestDifferences:
    def test_equal_books_have_none(self, provider: Callable[[int], Played]) -> None:
        made = provider(200)
        made.payout_amount = 43_390
        run = settle(made.at)
        assert (run.payments, run.payouts, run.differences) == (200, 1, 0)
        assert run.totals["payments"]["USD"]["captured"] == {"here": 900_000, "there": 900_000}
        assert run.totals["balances"] == {"USD": {"fees": 200 * 161, "net": 200 * 4339}}
        assert found() == Counter()
        assert LedgerEntry.objects.filter(payout_ref="po_1").count() == 10

    def test_each_is_found_of_its_kind_and_opened_once(self, provider: Callable[[int], Played]) -> None:
        made = provider(200)
        planted = plant(made)
        settle(made.at)
        assert found() == planted
        assert settle(made.at).differences == 0
        assert found() == planted
        assert LedgerEntry.objects.count() == 200 - 3 + 3

    def test_both_sides_are_kept_with_it(self, provider: Callable[[int], Played]) -> None:
        made = provider(30)
        made.changed["pi_21"] = replace(played_ledger.charge(21, made.at), moved=4499)
        settle(made.at)
        row = Discrepancy.objects.get()
        assert row.difference["ours"]["captured"] == 4500
        assert row.difference["theirs"]["captured"] == 4499
        assert row.evidence["events"][0]["id"] == "evt_21"
        assert row.payment is not None
        assert row.operator == row.payment.operator

    def test_a_line_that_is_changed_afterwards_is_found(self, provider: Callable[[int], Played]) -> None:
        made = provider(10)
        settle(made.at)
        made.changed["pi_3"] = replace(played_ledger.charge(3, made.at), fee=162, net=4338)
        settle(made.at)
        assert found() == Counter([("amount", "txn_3")])
        assert LedgerEntry.objects.get(ref="txn_3").fee == 161

    def test_are_opened_in_one_order_so_that_two_runs_cannot_deadlock(self, provider: Callable[[int], Played]) -> None:
        made = provider(100)
        made.changed |= {f"pi_{number}": None for number in (71, 12, 43, 90, 35, 68)}
        settle(made.at)
        opened = Discrepancy.objects.values_list("subject", flat=True)
        assert list(opened.order_by("id")) == list(opened.order_by("subject"))

    def test_two_runs_at_once_find_each_once(self, provider: Callable[[int], Played]) -> None:
        made = provider(200)
        planted = plant(made)
        race([lambda: settle(made.at)] * 3)
        assert found() == planted

    def test_a_run_that_was_stopped_goes_on(
        self, provider: Callable[[int], Played], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = provider(50)
        with monkeypatch.context() as patched:
            patched.setattr(ledger_comparison, "compare", stop)
            with pytest.raises(KeyboardInterrupt):
                settle(made.at)
        (run,) = SettlementRun.objects.all()
        assert run.status == SettlementStatus.READING
        assert run.read_until > made.at
        assert settle(made.at).pk == run.pk
        assert made.read["entries"] == 50, "what was read is not read again"

    @pytest.mark.slow
    @pytest.mark.timeout(400)
    def test_many_payments_in_the_memory_of_few(self, provider: Callable[[int], Played]) -> None:
        few_payments = 3_000
        number = sized(9_000, long=100_000)
        made = provider(number)
        planted = plant(made)
        made.number = few_payments
        few = peak(lambda: ledger.read(account=STRIPE, since=made.at, until=made.at + timedelta(hours=1), wait=stop))
        made.number = number
        many = peak(lambda: settle(made.at))
        assert found() == planted
        run = SettlementRun.objects.get()
        assert run.payments == number + 2
        assert LedgerEntry.objects.count() == number
        assert many < 2 * few, f"{many} bytes for {number:,} and {few} for {few_payments:,}"


def stop(*_: Any, **__: Any) -> None:
    """Die."""
    raise KeyboardInterrupt


def peak(run: Callable[[], object]) -> int:
    """Return the most memory that Python had in use at once, in bytes."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class TestAgainstTheSandbox:
    def test_a_day_with_refunds_and_a_payout_comes_out_even(self, sandbox: Sandbox, clock: Clock) -> None:
        slot = SlotFactory.create(capacity=20)
        frontend = Frontend.of(slot)
        for _ in range(6):
            frontend.reserve(slot, capture_method="automatic")
        stripe_events.deliver_all(sandbox)
        first, second = Payment.objects.order_by("id")[:2]
        frontend.post("refunds", {"payment_id": str(first.pk)})
        frontend.post("refunds", {"payment_id": str(second.pk), "amount": 1000})
        sweeps.run("send_commands")
        stripe_events.deliver_all(sandbox)
        sandbox.dispute(Payment.objects.order_by("id")[2].provider_ref)
        sandbox.pay_out()
        clock.advance(timedelta(hours=30))
        assert sweeps.run("settle") == 1
        run = SettlementRun.objects.get()
        assert (run.payments, run.payouts, run.differences) == (6, 1, 0)
        assert run.totals["payments"]["USD"]["refunded"] == {"here": 5500, "there": 5500}
        assert Reservation.objects.filter(status="refunded").count() == 1
        assert sweeps.run("settle") == 0, "a day is settled once by itself"
        promises.hold(at_provider=True)

    def test_days_that_nobody_settled_are_made_up_for(self, sandbox: Sandbox, clock: Clock) -> None:
        clock.advance(timedelta(hours=30))
        assert sweeps.run("settle") == 1
        clock.advance(timedelta(days=3))
        sandbox.fault("GET /v1/balance_transactions", "error_before")
        assert sweeps.run("settle") == 0
        assert sweeps.run("settle") == 3
        assert sweeps.run("settle") == 0
        days = list(SettlementRun.objects.order_by("date").values_list("date", flat=True))
        assert [(day - days[0]).days for day in days] == [0, 1, 2, 3]

    def test_a_day_that_was_settled_before_it_was_over_is_settled_again(self, sandbox: Sandbox, clock: Clock) -> None:
        settle(database.now())
        clock.advance(timedelta(hours=30))
        assert sweeps.run("settle") == 1
        assert SettlementRun.objects.count() == 2

    def test_a_payout_that_is_itemized_late_is_compared_then(self, provider: Callable[[int], Played]) -> None:
        made = provider(20)
        made.payout_amount, made.is_itemized = 43_391, False
        assert settle(made.at).payouts == 0
        made.is_itemized = True
        assert settle(made.at + timedelta(days=1)).payouts == 1
        assert found() == Counter([("amount", "po_1")])
        assert settle(made.at + timedelta(days=1)).payouts == 0

    def test_money_that_we_were_never_told_of_is_found(self, sandbox: Sandbox, clock: Clock) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot, capture_method="automatic")
        day = database.now().date().isoformat()
        clock.advance(timedelta(hours=30))
        out = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("settle", "--date", day, "--json", stdout=out)
        assert ended.value.code == 1
        told = json.loads(out.getvalue())
        assert told["summary"]["differences"] == 1
        assert found() == Counter([("status", Payment.objects.get().provider_ref)])
