"""The payments API, killed at every boundary: the retry and the sweeps bring one effect, and no more."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from booking import execution
from payments.models import Payment, Refund
from sweeps import registry as sweeps
from tests.support import promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.dying import run_and_die
from tests.support.factories import OperatorFactory, make_client
from tests.support.paying import paid
from tests.support.sandbox_client import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]

BODY = {"amount": 2599, "currency": "USD", "payment_method_id": "pm_card_visa"}


@dataclass(frozen=True)
class Operation:
    """Something that a frontend asks for, always with one key, and how it is to end."""

    name: str
    prepare: Callable[[Frontend, Sandbox], str]
    """Returns the id of the payment that it is about."""
    ask: Callable[[Frontend, str], Any]
    ends_as: tuple[str, int, int]
    """The payment's status, captured and refunded."""


def make(frontend: Frontend, **changes: Any) -> str:
    return str(frontend.post("payment_intents", BODY | changes).json()["id"])


def hold(frontend: Frontend, sandbox: Sandbox) -> str:
    made = make(frontend, capture_method="manual")
    frontend.patch(f"payment_intents/{made}/confirm")
    execution.execute_due()
    return made


OPERATIONS = [
    Operation(
        name="create",
        prepare=lambda frontend, sandbox: "",
        ask=lambda frontend, _: frontend.post("payment_intents", BODY, key="once"),
        ends_as=("requires_confirmation", 0, 0),
    ),
    Operation(
        name="confirm",
        prepare=lambda frontend, sandbox: make(frontend),
        ask=lambda frontend, made: frontend.patch(f"payment_intents/{made}/confirm", key="once"),
        ends_as=("succeeded", 2599, 0),
    ),
    Operation(
        name="capture",
        prepare=hold,
        ask=lambda frontend, made: frontend.post(f"payment_intents/{made}/capture", {"amount": 2000}, key="once"),
        ends_as=("succeeded", 2000, 0),
    ),
    Operation(
        name="cancel",
        prepare=hold,
        ask=lambda frontend, made: frontend.post(f"payment_intents/{made}/cancel", key="once"),
        ends_as=("canceled", 0, 0),
    ),
    Operation(
        name="refund",
        prepare=lambda frontend, sandbox: paid(frontend, sandbox),
        ask=lambda frontend, made: frontend.post("refunds", {"payment_id": made, "amount": 599}, key="once"),
        ends_as=("succeeded", 2599, 599),
    ),
]


def settle_down(sandbox: Sandbox) -> None:
    """Do what time does."""
    for _ in range(3):
        end_leases()
        sweeps.run("send_commands")
        stripe_events.deliver_all(sandbox)


def play(sandbox: Sandbox, operation: Operation, *, at: int) -> bool:
    """Play one life with a death at a boundary; False if there is no such boundary."""
    sandbox.reset()
    frontend = Frontend(make_client(OperatorFactory.create())[1])
    made = operation.prepare(frontend, sandbox)

    def ask_and_work() -> None:
        operation.ask(frontend, made)
        execution.execute_due()

    died = run_and_die(ask_and_work, at=at)
    if at % 2:
        settle_down(sandbox)
    end_leases()
    answer = operation.ask(frontend, made)
    assert answer.status_code in (200, 201, 202), answer.content
    settle_down(sandbox)
    (intent,) = sandbox.payment_intents()
    payment = Payment.objects.get(provider_ref=intent["id"])
    assert (payment.status, payment.amount_captured, payment.amount_refunded) == operation.ends_as
    assert intent["amount_received"] == payment.amount_captured
    assert sum(refund["amount"] for refund in sandbox.state()["refunds"] if refund["balance_transaction"]) == (
        payment.amount_refunded
    )
    assert Refund.objects.filter(payment=payment).count() <= 1
    promises.hold(at_provider=True)
    return died


class TestKilled:
    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
    def test_at_every_boundary(self, sandbox: Sandbox, operation: Operation) -> None:
        boundary = 1
        while play(sandbox, operation, at=boundary):
            boundary += 1
            assert boundary < 40
        assert boundary > 6
