"""Reading Stripe's objects, from an answer or an event.

https://docs.stripe.com/api/payment_intents/object
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common import json_text
from payments.outcome_types import (
    Failure,
    Outcome,
    ProviderDispute,
    ProviderEntry,
    ProviderPayment,
    ProviderPayout,
    ProviderRefund,
)
from payments.providers.stripe import fields, money
from payments.states import LedgerKind, RefundStatus

PAYMENT_KEY = "holdfast_payment"
COMMAND_KEY = "holdfast_command"
REFUND_KEY = "holdfast_refund"
INSTALLATION_KEY = "holdfast_installation"

_BEGINNINGS = (LedgerKind.DISPUTE, LedgerKind.FEE, LedgerKind.PAYOUT)
_CLOSED = frozenset(("won", "lost", "warning_closed", "prevented"))

_FOR_NOW = frozenset(("balance_insufficient", "insufficient_funds", "charge_pending", "lock_timeout", "api_error"))
"""Refusals of the moment."""

_REFUND_STATUSES = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELED,
}

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
    """Read a payment intent.

    A status that we do not know is ``UNKNOWN``: Stripe's lists of them are open.

    Raises:
        UnreadableError: What says which payment it is, how it stands or what money it is of is missing or odd.
    """
    last_error = fields.find_fields(intent, "last_payment_error")
    outcome = _OUTCOMES.get(fields.get_text(intent, "status"), Outcome.UNKNOWN)
    if outcome is Outcome.REQUIRES_PAYMENT_METHOD and last_error:
        outcome = Outcome.DECLINED
    currency = fields.get_currency(intent)
    metadata, charge = fields.find_fields(intent, "metadata"), fields.find_fields(intent, "latest_charge")
    return ProviderPayment(
        ref=fields.get_text(intent, "id"),
        outcome=outcome,
        amount=money.from_stripe(fields.get_number(intent, "amount"), currency),
        currency=currency,
        amount_captured=money.from_stripe(fields.get_number_or_zero(intent, "amount_received"), currency),
        account=account,
        payment_id=fields.find_id(metadata, PAYMENT_KEY),
        installation=fields.find_text(metadata, INSTALLATION_KEY),
        client_secret=fields.find_text(intent, "client_secret"),
        next_action=dict(fields.find_fields(intent, "next_action")) or None,
        capture_before=fields.find_time(_card(charge), "capture_before"),
        auth_code=fields.find_text(_card(charge), "authorization_code", longest=64),
        receipt_url=fields.find_text(charge, "receipt_url", longest=1000),
        failure=failure_of(last_error) if last_error else None,
    )


def failure_of(error: Mapping[str, Any]) -> Failure:
    """Read why money was not had, as far as readable."""
    error = json_text.storable(dict(error))
    code = fields.find_text(error, "code") or fields.find_text(error, "type")
    return Failure(code=code, message=fields.find_text(error, "message", longest=5000), is_temporary=code in _FOR_NOW)


def refund(refund: Mapping[str, Any], account: str) -> ProviderRefund:
    """Read a refund.

    Raises:
        UnreadableError: What says which refund it is, of what payment and money, is missing or odd.
    """
    currency = fields.get_currency(refund)
    return ProviderRefund(
        ref=fields.get_text(refund, "id"),
        payment_ref=fields.get_text_or_none(refund, "payment_intent"),
        status=_REFUND_STATUSES.get(fields.get_text_or_none(refund, "status"), RefundStatus.PENDING),
        amount=money.from_stripe(fields.get_number(refund, "amount"), currency),
        currency=currency,
        account=account,
        refund_id=fields.find_id(fields.find_fields(refund, "metadata"), REFUND_KEY),
        failure_code=fields.find_text(refund, "failure_reason", longest=100) or _hangs(refund),
        moved_money=refund.get("status") != "succeeded" or refund.get("balance_transaction", "") is not None,
    )


def _hangs(refund: Mapping[str, Any]) -> str:
    """Say why a refund does not go on by itself; empty if it does."""
    if refund.get("status") == "requires_action":
        return "requires_action"
    reason = fields.find_text(refund, "pending_reason", longest=100) if refund.get("status") == "pending" else ""
    return "" if reason == "processing" else reason


def dispute(dispute: Mapping[str, Any], account: str, *, as_of: datetime) -> ProviderDispute:
    """Read a dispute.

    Statuses are an open list; after those of ``_CLOSED`` only a late win can come.

    Raises:
        UnreadableError: What says which dispute it is, of what payment and money, is missing or odd.
    """
    currency, status = fields.get_currency(dispute), fields.get_text(dispute, "status", longest=64)
    return ProviderDispute(
        ref=fields.get_text(dispute, "id"),
        payment_ref=fields.get_text(dispute, "payment_intent"),
        amount=money.from_stripe(fields.get_number(dispute, "amount"), currency),
        currency=currency,
        status=status,
        is_closed=status in _CLOSED,
        as_of=as_of,
        account=account,
        reason=fields.find_text(dispute, "reason", longest=100),
        respond_by=fields.find_time(fields.find_fields(dispute, "evidence_details"), "due_by"),
    )


def entry(transaction: Mapping[str, Any]) -> ProviderEntry:
    """Read a balance transaction with its source. https://docs.stripe.com/reports/balance-transaction-types

    Raises:
        UnreadableError: What says which line it is, and of what money, is missing or odd.
    """
    source = fields.find_fields(transaction, "source")
    currency = fields.get_currency(transaction)
    moved_currency = fields.get_currency(source) if source.get("currency") else currency
    amount = money.from_stripe(fields.get_signed_number(transaction, "amount"), currency)
    category = fields.find_text(transaction, "reporting_category") or fields.get_text(transaction, "type")
    return ProviderEntry(
        ref=fields.get_text(transaction, "id"),
        kind=_kind(category),
        category=category,
        payment_ref=fields.find_text(source, "payment_intent"),
        amount=amount,
        fee=money.from_stripe(fields.get_signed_number(transaction, "fee"), currency),
        net=money.from_stripe(fields.get_signed_number(transaction, "net"), currency),
        currency=currency,
        moved=_moved(source, moved_currency, sign=-1 if amount < 0 else 1) if source else amount,
        moved_currency=moved_currency,
        occurred_at=fields.get_time(transaction, "created"),
    )


def _kind(category: str) -> LedgerKind:
    """Return what a line is of; "payment" and "payment_refund" are of methods other than cards."""
    if category in ("charge", "payment"):
        return LedgerKind.CHARGE
    if "refund" in category:
        return LedgerKind.REFUND
    return next((kind for kind in _BEGINNINGS if category.startswith(kind)), LedgerKind.OTHER)


def payout(payout: Mapping[str, Any]) -> ProviderPayout:
    """Read a payout.

    What is in a manual one, Stripe cannot tell. https://docs.stripe.com/payouts/reconciliation

    Raises:
        UnreadableError: What says which payout it is, and of what money, is missing or odd.
    """
    currency = fields.get_currency(payout)
    return ProviderPayout(
        ref=fields.get_text(payout, "id"),
        amount=money.from_stripe(fields.get_signed_number(payout, "amount"), currency),
        currency=currency,
        status=fields.get_text(payout, "status"),
        is_itemized=payout.get("reconciliation_status") == "completed",
        created_at=fields.get_time(payout, "created"),
    )


def _moved(source: Mapping[str, Any], currency: str, *, sign: int) -> int:
    """Return what the customer paid or got back: of a charge, only what was captured of it."""
    if source.get("object") == "charge":
        amount = fields.get_signed_number(source, "amount_captured")
    else:
        amount = fields.get_signed_number(source, "amount") if "amount" in source else 0
    return sign * money.from_stripe(amount, currency)


def _card(charge: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a charge tells of its card; nothing where the charge is only named, as in an event."""
    return fields.find_fields(fields.find_fields(charge, "payment_method_details"), "card")
