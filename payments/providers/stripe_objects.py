"""Reading Stripe's objects, from an answer of the API or from an event. Amounts are minor units there too.

https://docs.stripe.com/api/payment_intents/object
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from payments.outcomes import (
    Failure,
    Outcome,
    ProviderDispute,
    ProviderEntry,
    ProviderPayment,
    ProviderPayout,
    ProviderRefund,
)
from payments.providers import stripe_money
from payments.providers.base import Notification

PAYMENT_KEY = "holdfast_payment"
COMMAND_KEY = "holdfast_command"
REFUND_KEY = "holdfast_refund"
INSTALLATION_KEY = "holdfast_installation"

_CLOSED = frozenset(("won", "lost", "warning_closed", "prevented"))

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
    currency = intent["currency"].upper()
    return ProviderPayment(
        ref=intent["id"],
        outcome=outcome,
        amount=stripe_money.from_stripe(intent["amount"], currency),
        currency=currency,
        amount_captured=stripe_money.from_stripe(intent.get("amount_received") or 0, currency),
        account=account,
        payment_id=_uuid((intent.get("metadata") or {}).get(PAYMENT_KEY)),
        installation=(intent.get("metadata") or {}).get(INSTALLATION_KEY) or "",
        client_secret=intent.get("client_secret") or "",
        next_action=intent.get("next_action") or None,
        capture_before=_capture_before(intent.get("latest_charge")),
        auth_code=_card(intent.get("latest_charge")).get("authorization_code") or "",
        receipt_url=_receipt_url(intent.get("latest_charge")),
        failure=_failure(failure) if failure else None,
    )


def _failure(error: Mapping[str, Any]) -> Failure:
    return Failure(code=error.get("code") or error.get("type") or "", message=error.get("message") or "")


def refund(refund: Mapping[str, Any], account: str) -> ProviderRefund:
    """Read a refund."""
    currency = refund["currency"].upper()
    return ProviderRefund(
        ref=refund["id"],
        payment_ref=refund.get("payment_intent") or "",
        status=refund.get("status") or "",
        amount=stripe_money.from_stripe(refund["amount"], currency),
        currency=currency,
        account=account,
        refund_id=_uuid((refund.get("metadata") or {}).get(REFUND_KEY)),
        failure_code=refund.get("failure_reason") or _hangs(refund),
        moved_money=refund.get("status") != "succeeded" or refund.get("balance_transaction", "") is not None,
    )


def _hangs(refund: Mapping[str, Any]) -> str:
    """Say why a refund does not go on by itself; empty if it does."""
    if refund.get("status") == "requires_action":
        return "requires_action"
    reason = refund.get("pending_reason") if refund.get("status") == "pending" else None
    return "" if reason in (None, "processing") else str(reason)


def dispute(dispute: Mapping[str, Any], account: str, *, as_of: datetime) -> ProviderDispute:
    """Read a dispute. Its statuses are an open list; these are the ones after which only a late win can come."""
    currency = dispute["currency"].upper()
    due_by = (dispute.get("evidence_details") or {}).get("due_by")
    return ProviderDispute(
        ref=dispute["id"],
        payment_ref=dispute["payment_intent"],
        amount=stripe_money.from_stripe(dispute["amount"], currency),
        currency=currency,
        status=dispute["status"],
        is_closed=dispute["status"] in _CLOSED,
        as_of=as_of,
        account=account,
        reason=dispute.get("reason") or "",
        respond_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
    )


def notification(event: Mapping[str, Any], *, account: str = "", key_name: str = "") -> Notification:
    """Read an event; one that was read for a connected account does not name it itself."""
    return Notification(
        event_id=event["id"],
        type=event["type"],
        account=_account(event) or account,
        live=bool(event["livemode"]),
        created_at=datetime.fromtimestamp(event["created"], UTC),
        api_version=event.get("api_version") or "",
        payload=event,
        object_ref=str(event["data"]["object"].get("id") or ""),
        key_name=key_name,
    )


def _account(event: Mapping[str, Any]) -> str:
    """Return the account that an event names; empty if it names none.

    Raises:
        TypeError: What stands there is no account.
    """
    named = event.get("account")
    if named is not None and not isinstance(named, str):
        raise TypeError("the account of an event is a text")
    return named or ""


def attested(intent: Mapping[str, Any], *, account: str, key_name: str, at: datetime) -> Notification:
    """Write the event that would tell how a payment intent stands; its id says that Stripe never sent it."""
    event = {
        "id": f"attested_{intent['id']}_{intent['status']}",
        "object": "event",
        "type": f"payment_intent.{intent['status']}",
        "created": int(at.timestamp()),
        "livemode": intent["livemode"],
        "data": {"object": intent},
    }
    return notification(event, account=account, key_name=key_name)


def entry(transaction: Mapping[str, Any]) -> ProviderEntry:
    """Read a balance transaction with its source. https://docs.stripe.com/reports/balance-transaction-types"""
    source = transaction["source"] if isinstance(transaction.get("source"), Mapping) else {}
    currency = transaction["currency"].upper()
    moved_currency = (source.get("currency") or transaction["currency"]).upper()
    amount = stripe_money.from_stripe(transaction["amount"], currency)
    return ProviderEntry(
        ref=transaction["id"],
        kind=transaction.get("reporting_category") or transaction["type"],
        payment_ref=source.get("payment_intent") or "",
        amount=amount,
        fee=stripe_money.from_stripe(transaction["fee"], currency),
        net=stripe_money.from_stripe(transaction["net"], currency),
        currency=currency,
        moved=_moved(source, moved_currency, sign=-1 if amount < 0 else 1) if source else amount,
        moved_currency=moved_currency,
        occurred_at=datetime.fromtimestamp(transaction["created"], UTC),
    )


def payout(payout: Mapping[str, Any]) -> ProviderPayout:
    """Read a payout. What is in a manual one, Stripe cannot tell. https://docs.stripe.com/payouts/reconciliation"""
    currency = payout["currency"].upper()
    return ProviderPayout(
        ref=payout["id"],
        amount=stripe_money.from_stripe(payout["amount"], currency),
        currency=currency,
        status=payout["status"],
        is_itemized=payout.get("reconciliation_status") == "completed",
        created_at=datetime.fromtimestamp(payout["created"], UTC),
    )


def _moved(source: Mapping[str, Any], currency: str, *, sign: int) -> int:
    """Return what the customer paid or got back: of a charge, only what was captured of it."""
    amount = source["amount_captured"] if source.get("object") == "charge" else source.get("amount", 0)
    return sign * stripe_money.from_stripe(amount, currency)


def _capture_before(charge: Any) -> datetime | None:
    deadline = _card(charge).get("capture_before")
    return datetime.fromtimestamp(deadline, UTC) if deadline else None


def _card(charge: Any) -> Mapping[str, Any]:
    """Return what a charge tells of its card; nothing where the charge is only named, as in an event."""
    details = charge.get("payment_method_details") if isinstance(charge, Mapping) else None
    return (details or {}).get("card") or {}


def _receipt_url(charge: Any) -> str:
    return (charge.get("receipt_url") or "") if isinstance(charge, Mapping) else ""


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None
