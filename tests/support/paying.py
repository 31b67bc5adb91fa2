"""Payments of the payments API, as tests make them."""

from typing import Any

from booking import execution
from tests.support import stripe_events
from tests.support.api import Frontend
from tests.support.sandbox_client import Sandbox


def create(frontend: Frontend, **changes: Any) -> Any:
    """POST /payment_intents of 25.99 USD, or as ``changes`` say."""
    body = {"amount": 2599, "currency": "USD", "payment_method_id": "pm_card_visa", **changes}
    return frontend.post("payment_intents", body)


def work(sandbox: Sandbox) -> None:
    """Do what the worker and the provider's webhooks do."""
    execution.execute_due()
    stripe_events.deliver_all(sandbox)


def paid(frontend: Frontend, sandbox: Sandbox, **changes: Any) -> str:
    """Make a payment that has succeeded; returns its id."""
    made = create(frontend, **changes).json()["id"]
    assert frontend.patch(f"payment_intents/{made}/confirm").status_code == 202
    work(sandbox)
    assert frontend.get(f"payment_intents/{made}").json()["status"] == "succeeded"
    return str(made)
