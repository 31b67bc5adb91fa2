"""Every order of every set of up to five events of one payment's life ends as the provider has it."""

from itertools import combinations, permutations

import pytest

from booking import carrying_out
from payments.models import Payment
from tests import promises, stripe_events
from tests.api import Frontend
from tests.factories import OperatorFactory, make_client
from tests.paying import create
from tests.sandbox_client import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PREFIX = "payment_intent."


def live(frontend: Frontend, sandbox: Sandbox, ending: str) -> str:
    """Live a payment to its end at the provider, with no event delivered; returns its id here."""
    card = "pm_card_chargeDeclined" if ending == "failed" else "pm_card_visa"
    made = str(create(frontend, capture_method="manual", payment_method_id=card).json()["id"])
    frontend.patch(f"payment_intents/{made}/confirm")
    carrying_out.send_due()
    if ending != "failed":
        action = {"succeeded": "capture", "canceled": "cancel"}[ending]
        frontend.post(f"payment_intents/{made}/{action}")
    carrying_out.send_due()
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
