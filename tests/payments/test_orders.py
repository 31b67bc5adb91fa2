"""Every order of every set of up to five events of one payment's life ends as the provider has it."""

import json
from itertools import combinations, permutations
from typing import Any

import pytest

from booking import execution
from payments.models import Payment
from tests.support import dashboard, promises, stripe_events
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, make_client
from tests.support.paying import create
from tests.support.sandbox_client import Sandbox
from webhooks import inbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PREFIX = "payment_intent."


def live(frontend: Frontend, sandbox: Sandbox, ending: str) -> str:
    """Live a payment to its end at the provider, with no event delivered; returns its id here."""
    card = "pm_card_chargeDeclined" if ending == "failed" else "pm_card_visa"
    made = str(create(frontend, capture_method="manual", payment_method_id=card).json()["id"])
    frontend.patch(f"payment_intents/{made}/confirm")
    execution.execute_due()
    if ending != "failed":
        action = {"succeeded": "capture", "canceled": "cancel"}[ending]
        frontend.post(f"payment_intents/{made}/{action}")
    execution.execute_due()
    return made


class TestOrders:
    @pytest.mark.parametrize("ending", ["succeeded", "failed", "canceled"])
    def test_end_as_the_provider_has_it(self, sandbox: Sandbox, ending: str) -> None:
        frontend = Frontend(make_client(OperatorFactory.create())[1])
        live(frontend, sandbox, ending)
        events = [event for event in stripe_events.happened(sandbox) if event["type"].startswith(PREFIX)][:5]
        assert len(events) >= 3
        number = 0
        for size in range(1, len(events) + 1):
            for chosen in combinations(events, size):
                for order in permutations(chosen):
                    number += 1
                    sandbox.reset()
                    made = live(frontend, sandbox, ending)
                    fresh = {event["type"]: event for event in stripe_events.happened(sandbox)}
                    for event in order:
                        assert stripe_events.deliver(fresh[event["type"]]).status_code == 200
                    status = Payment.objects.get(pk=made).status
                    told = {event["type"] for event in order}
                    if ending == "succeeded" and f"{PREFIX}succeeded" not in told:
                        assert status == "processing"  # nobody has proved it yet
                    else:
                        assert status == ending, [event["type"] for event in order]
        assert number >= 15
        promises.hold()


class TestMoney:
    """What was captured, given back, sent back and disputed, heard in every order, each with a copy at the end."""

    def test_ends_with_the_providers_figures(self, sandbox: Sandbox) -> None:
        frontend = Frontend(make_client(OperatorFactory.create())[1])
        first = Payment.objects.get(pk=live(frontend, sandbox, "succeeded"))
        bounced = dashboard.refund(sandbox, first.provider_ref, 700)
        sandbox.fail_refund(bounced["id"])
        dashboard.refund(sandbox, first.provider_ref, 500)
        sandbox.dispute(first.provider_ref)
        told = ("payment_intent.succeeded", "refund.created", "refund.failed", "charge.dispute.created")
        events = [event for event in stripe_events.happened(sandbox) if event["type"] in told]
        assert len(events) == 5
        for number, order in enumerate(permutations(events[:4])):
            made = Payment.objects.get(pk=live(frontend, sandbox, "succeeded"))
            for event in (*order, events[4], order[0]):
                assert stripe_events.deliver(of_another(event, first, made, number)).status_code == 200
            inbox.retry_due()
            inbox.retry_due()
            made.refresh_from_db()
            assert (made.status, made.amount_captured, made.amount_refunded, made.amount_refunding) == (
                "succeeded", 2599, 500, 0,
            ), [event["type"] for event in order]  # fmt: skip
            refunds = made.refunds.order_by("amount").values_list("amount", "status", "failure_code")
            assert list(refunds) == [(500, "succeeded", ""), (700, "failed", "expired_or_canceled_card")]
            assert made.disputes.count() == 1
        promises.hold()


def of_another(event: dict[str, Any], first: Payment, other: Payment, number: int) -> dict[str, Any]:
    """Write the event as it would be of another payment, whose refunds and disputes have ids of their own."""
    text = json.dumps(event).replace(first.provider_ref, other.provider_ref).replace(str(first.pk), str(other.pk))
    for prefix in ("evt_", "re_", "du_", "dp_"):
        text = text.replace(f'"{prefix}', f'"{prefix}{number}x')
    found: dict[str, Any] = json.loads(text)
    return found
