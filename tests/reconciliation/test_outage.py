"""The provider is down for an hour, and comes back: nothing is lost, nothing doubled, and nobody runs it over."""

from collections import Counter
from typing import Any

import pytest
from pytest_django import Settings

from booking.models import Reservation
from payments.models import CheckAttempt, Payment, ProviderThrottle, Refund
from reconciliation.models import Discrepancy
from sweeps import registry
from tests.support import promises, stripe_events
from tests.support.api import Frontend
from tests.support.environment import sized
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.virtual_clock import Clock

pytestmark = pytest.mark.django_db(transaction=True)

CALLS_PER_MINUTE = 25
MANY = sized(1, long=2)
"""Guests of each kind are so many times thirty, ten, five."""
EVERYTHING = [
    f"* /v1/{path}"
    for path in ("payment_intents", "payment_intents/*", "payment_intents/*/capture", "payment_intents/*/cancel",
                 "refunds", "events", "balance_transactions", "payouts")
]  # fmt: skip
EACH_MINUTE = ("expire_reservations", "send_commands", "reconcile", "retry_events")


class World:
    """Guests, workers and the provider, minute by minute."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.sandbox, self.clock = sandbox, clock
        self.calls: list[int] = []
        self.minute = 0

    def pass_minutes(self, number: int) -> None:
        """Let minutes pass, with all the work that is done in each; note the calls that the background made."""
        for _ in range(number):
            self.clock.next_minute()
            self.minute += 1
            before = self.sandbox.attempts()
            for sweep in EACH_MINUTE:
                registry.run(sweep)
            if self.minute % 5 == 0:
                registry.run("recover_events")
            self.calls.append(self.sandbox.attempts() - before)

    def go_down(self) -> None:
        """Have the provider answer nothing but errors."""
        for match in EVERYTHING:
            self.sandbox.fault(match, "error_before", times=None)

    def come_back(self) -> None:
        """Have the provider work again."""
        self.sandbox.clear_faults()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_hour_without_the_provider(sandbox: Sandbox, clock: Clock, settings: Settings) -> None:
    sandbox.webhooks("drop")
    slot = SlotFactory.create(capacity=500)
    frontend = Frontend.of(slot)
    world = World(sandbox, clock)
    to_confirm = [reserve(frontend, slot) for _ in range(30 * MANY)]
    to_cancel = [reserve(frontend, slot) for _ in range(10 * MANY)]
    left_alone = [reserve(frontend, slot) for _ in range(5 * MANY)]
    to_refund = [reserve(frontend, slot, capture_method="automatic") for _ in range(5 * MANY)]
    registry.run("recover_events")
    assert Reservation.objects.filter(pk__in=to_refund, status="paid").count() == len(to_refund)
    settings.PROVIDER_CALLS_PER_MINUTE = CALLS_PER_MINUTE

    world.go_down()
    for reservation in to_confirm:
        assert frontend.post(f"reservations/{reservation}/confirm").status_code == 200
    for reservation in to_cancel:
        assert frontend.post(f"reservations/{reservation}/cancel").status_code == 200
    for payment in Payment.objects.filter(managed_id__in=to_refund):
        assert frontend.post("refunds", {"payment_id": str(payment.pk)}).status_code == 201
    unknown = [reserve(frontend, slot, expect=202) for _ in range(5 * MANY)]
    world.pass_minutes(60)
    down = sum(world.calls)
    assert Reservation.objects.filter(pk__in=to_confirm, status="confirmed").count() == len(to_confirm), (
        "unknown is no failure"
    )
    assert down < 60, f"{down} calls in an hour to a provider that does not answer"

    world.come_back()
    world.pass_minutes(60)

    statuses = Counter(Reservation.objects.filter(pk__in=to_confirm).values_list("status", flat=True))
    assert statuses == {"paid": len(to_confirm)}
    assert set(Reservation.objects.filter(pk__in=to_refund).values_list("status", flat=True)) == {"refunded"}
    assert set(Reservation.objects.filter(pk__in=[*left_alone, *unknown]).values_list("status", flat=True)) == {
        "expired"
    }
    check_nothing_is_doubled(sandbox)
    assert not Payment.objects.exclude(status__in=("succeeded", "canceled", "failed")).exists()
    assert not Discrepancy.objects.exclude(status="resolved").exists()
    assert max(world.calls) <= CALLS_PER_MINUTE * 1.2, f"calls minute by minute: {world.calls}"
    assert max(world.calls) > CALLS_PER_MINUTE - 5, "it is the pace that held them back"
    assert not CheckAttempt.objects.filter(result="running").exists()
    assert ProviderThrottle.objects.get().failures == 0
    promises.hold(at_provider=True)


def reserve(frontend: Frontend, slot: Any, *, expect: int = 201, **more: Any) -> str:
    """Reserve a place."""
    answer = frontend.reserve(slot, **more)
    assert answer.status_code == expect, answer.content
    return str(answer.json()["reservation"]["id"])


def check_nothing_is_doubled(sandbox: Sandbox) -> None:
    """Hold the provider's side against ours: one intent for each payment, each refunded at most once."""
    intents = sandbox.payment_intents()
    ours = Counter(intent["metadata"]["holdfast_payment"] for intent in intents)
    assert set(ours.values()) == {1}
    given_back = {refund.provider_ref: refund.amount for refund in Refund.objects.all()}
    theirs = {row["id"]: row["amount"] for row in sandbox.state()["refunds"] if row["balance_transaction"]}
    assert theirs == given_back
    assert {intent["status"] for intent in intents} <= {"succeeded", "canceled"}
    assert len(stripe_events.happened(sandbox, "payment_intent.succeeded")) == 35 * MANY
