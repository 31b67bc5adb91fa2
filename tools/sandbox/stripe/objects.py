"""Stripe's objects as JSON: every field that Stripe sends, empty until something fills it."""

from dataclasses import dataclass, field
from typing import Any

from tools.sandbox.words import words

API_VERSION = "2026-10-28.endive"

StripeObject = dict[str, Any]


@dataclass
class DeliveryAttempt:
    """One try to hand an event to the webhook endpoint: a status or an error, and how long it took."""

    at: float
    status: int | None
    error: str | None
    ms: int

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass
class EventRecord:
    """An event as it was made, and what became of its delivery."""

    body: StripeObject
    has_endpoint: bool = False
    deliveries: list[DeliveryAttempt] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def delivered(self) -> bool:
        return any(attempt.succeeded for attempt in self.deliveries)

    def rendered(self) -> StripeObject:
        """Return the event as the API shows it now."""
        pending = 1 if self.has_endpoint and not self.delivered else 0
        return {**self.body, "pending_webhooks": pending}


def empty_billing_details() -> StripeObject:
    """Return empty billing details."""
    lines = ("city", "country", "line1", "line2", "postal_code", "state")
    return {"address": dict.fromkeys(lines), **dict.fromkeys(("email", "name", "phone", "tax_id"))}


def card_checks() -> StripeObject:
    """Return what the bank said of the card's details."""
    return {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}


INTENT_NULLS = words(
    "application application_fee_amount canceled_at cancellation_reason customer customer_account description "
    "excluded_payment_method_types last_payment_error latest_charge managed_payments next_action on_behalf_of "
    "payment_method payment_method_configuration_details processing receipt_email review setup_future_usage shipping "
    "source statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
)


def new_payment_intent(intent_id: str, secret: str, created: int, amount: int, currency: str) -> StripeObject:
    """Return a payment intent that still needs a payment method."""
    return {
        "id": intent_id,
        "object": "payment_intent",
        **dict.fromkeys(INTENT_NULLS),
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{secret}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


CHARGE_NULLS = words(
    "application application_fee application_fee_amount balance_transaction description "
    "failure_balance_transaction failure_code failure_message on_behalf_of receipt_number receipt_url review shipping "
    "source source_transfer transfer_data transfer_group"
)
COPIED_FROM_INTENT = words(
    "amount currency customer description receipt_email shipping statement_descriptor statement_descriptor_suffix "
    "transfer_group on_behalf_of application_fee_amount"
)


def new_charge(charge_id: str, created: int, intent: StripeObject, method: StripeObject) -> StripeObject:
    """Return a charge of the whole amount that the bank has not yet answered."""
    return {
        "id": charge_id,
        "object": "charge",
        **dict.fromkeys(CHARGE_NULLS),
        **{name: intent[name] for name in COPIED_FROM_INTENT},
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "SANDBOX",
        "captured": False,
        "created": created,
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _charged_card(intent, method["card"]), "type": "card"},
        "refunded": False,
        "refunds": {
            "object": "list",
            "data": [],
            "has_more": False,
            "total_count": 0,
            "url": f"/v1/charges/{charge_id}/refunds",
        },
        "status": "pending",
    }


CHARGED_CARD_NULLS = words(
    "authorization_code installments mandate network_transaction_id regulated_status three_d_secure "
    "transaction_link_id wallet"
)
COPIED_FROM_CARD = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")


def _charged_card(intent: StripeObject, card: StripeObject) -> StripeObject:
    return {
        **dict.fromkeys(CHARGED_CARD_NULLS),
        **{name: card[name] for name in COPIED_FROM_CARD},
        "amount_authorized": None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
    }


def outcome(*, approved: bool, reason: str | None, message: str) -> StripeObject:
    """Return what the card network and the bank answered to a charge."""
    return {
        **dict.fromkeys(("advice_code", "network_advice_code", "network_decline_code")),
        "network_status": "approved_by_network" if approved else "declined_by_network",
        "reason": reason,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": message,
        "type": "authorized" if approved else "issuer_declined",
    }


def new_refund(refund_id: str, created: int, charge: StripeObject, amount: int, reason: str | None) -> StripeObject:
    """Return a refund that has gone through."""
    return {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
