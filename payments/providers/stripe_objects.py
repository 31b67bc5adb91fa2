"""Reading Stripe's objects, from an answer of the API or from an event. Amounts are minor units there too.

https://docs.stripe.com/api/payment_intents/object
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from payments.outcomes import Failure, Outcome, ProviderPayment, ProviderRefund

PAYMENT_KEY = "holdfast_payment"
COMMAND_KEY = "holdfast_command"
REFUND_KEY = "holdfast_refund"

_OUTCOMES = {
    "requires_payment_method": Outcome.REQUIRES_PAYMENT_METHOD,
    "requires_confirmation": Outcome.REQUIRES_PAYMENT_METHOD,
    "requires_action": Outcome.REQUIRES_ACTION,
    "processing": Outcome.PROCESSING,
    "requires_capture": Outcome.HELD,
    "succeeded": Outcome.CAPTURED,
    "canceled": Outcome.CANCELED,
}


def payment(intent: Mapping[str, Any], account: str) -> ProviderPayment:
    """Read a payment intent. A status that we do not know is ``UNKNOWN``: Stripe's lists of them are open."""
    failure = intent.get("last_payment_error") or None
    outcome = _OUTCOMES.get(intent["status"], Outcome.UNKNOWN)
    if outcome is Outcome.REQUIRES_PAYMENT_METHOD and failure:
        outcome = Outcome.DECLINED
    return ProviderPayment(
        ref=intent["id"],
        outcome=outcome,
        amount=intent["amount"],
        currency=intent["currency"].upper(),
        amount_captured=intent.get("amount_received") or 0,
        account=account,
        payment_id=_uuid((intent.get("metadata") or {}).get(PAYMENT_KEY)),
        client_secret=intent.get("client_secret") or "",
        next_action=intent.get("next_action") or None,
        capture_before=_capture_before(intent.get("latest_charge")),
        failure=_failure(failure) if failure else None,
    )


def _failure(error: Mapping[str, Any]) -> Failure:
    return Failure(code=error.get("code") or error.get("type") or "", message=error.get("message") or "")


def refund(refund: Mapping[str, Any], account: str) -> ProviderRefund:
    """Read a refund."""
    return ProviderRefund(
        ref=refund["id"],
        payment_ref=refund.get("payment_intent") or "",
        status=refund.get("status") or "",
        amount=refund["amount"],
        currency=refund["currency"].upper(),
        account=account,
        refund_id=_uuid((refund.get("metadata") or {}).get(REFUND_KEY)),
        failure_code=refund.get("failure_reason") or "",
    )


def _capture_before(charge: Any) -> datetime | None:
    if not charge or isinstance(charge, str):
        return None
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    deadline = card.get("capture_before")
    return datetime.fromtimestamp(deadline, UTC) if deadline else None


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None
