"""What an operator does at the provider's dashboard, past us."""

from typing import Any

import requests

from tests.support.environment import VALUES
from tests.support.sandbox_client import Sandbox


def _do(sandbox: Sandbox, path: str, **data: Any) -> dict[str, Any]:
    with requests.Session() as session:
        session.trust_env = False
        url = f"{sandbox.url}/v1/{path}"
        answer = session.post(url, data=data, auth=(VALUES["STRIPE_API_KEY"], ""), timeout=30)
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found


def capture(sandbox: Sandbox, intent_id: str, amount: int) -> dict[str, Any]:
    """Capture so much of a hold, in minor units."""
    return _do(sandbox, f"payment_intents/{intent_id}/capture", amount_to_capture=amount)


def refund(sandbox: Sandbox, intent_id: str, amount: int | None = None) -> dict[str, Any]:
    """Give so much back, in minor units; None: all that is left."""
    return _do(sandbox, "refunds", payment_intent=intent_id, **({} if amount is None else {"amount": amount}))


def cancel(sandbox: Sandbox, intent_id: str) -> dict[str, Any]:
    """Cancel a payment, and let its hold go."""
    return _do(sandbox, f"payment_intents/{intent_id}/cancel")
