"""From rows to the fields of the HTTP contract."""

from collections.abc import Mapping
from typing import Any

from common.times import rfc3339
from payments.models import CheckAttempt, Command, Dispute, Payment, Refund, Transaction
from tenants import actors


def payment(row: Payment) -> dict[str, Any]:
    """Show a payment beside its reservation."""
    return {
        "id": str(row.pk),
        "status": row.status,
        "provider": row.provider,
        "provider_ref": row.provider_ref or None,
        "amount": row.amount,
        "currency": row.currency,
        "client_secret": row.client_secret or None,
        "next_action": row.next_action,
        "failure": _failure(row),
        "late": row.is_late,
    }


def without_secrets(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a payment what could pay it, for read-only callers."""
    return {**shown, "client_secret": None, "next_action": None}


def intent(row: Payment) -> dict[str, Any]:
    """Show a payment by itself."""
    return {
        **payment(row),
        "customer_id": row.customer_id or None,
        "payment_method_id": row.payment_method_id or None,
        "capture_method": row.capture_method,
        "metadata": row.metadata,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.changed_at),
    }


def accepted(row: Payment) -> dict[str, Any]:
    """Show a payment that a worker is moving on."""
    return {"id": str(row.pk), "status": row.status}


def result(row: Payment) -> dict[str, Any]:
    """Show what came of a payment."""
    return {
        "payment_id": str(row.pk),
        "payment_intent_id": str(row.pk),
        "status": row.status,
        "captured_amount": row.amount_captured,
        "refunded_amount": row.amount_refunded,
        "auth_code": row.auth_code or None,
        "receipt_url": row.receipt_url or None,
        "disputes": [_dispute(dispute) for dispute in row.disputes.all()],
    }


def refund(row: Refund) -> dict[str, Any]:
    """Show a refund."""
    return {
        "id": str(row.pk),
        "payment_id": str(row.payment_id),
        "amount": row.amount,
        "currency": row.payment.currency,
        "reason": row.reason or None,
        "status": row.status,
        "created_at": rfc3339(row.created_at),
    }


def transaction(row: Transaction) -> dict[str, Any]:
    """Show a movement of money."""
    return {
        "id": str(row.pk),
        "payment_id": str(row.payment_id),
        "kind": row.kind,
        "status": row.status,
        "amount": row.amount,
        "currency": row.currency,
        "provider": row.provider,
        "provider_ref": row.provider_ref or None,
        "created_at": rfc3339(row.created_at),
    }


def command(row: Command) -> dict[str, Any]:
    """Show what was asked of the provider."""
    return {
        "id": str(row.pk),
        "kind": row.kind,
        "status": row.status,
        "amount": row.amount,
        "attempts": row.attempts,
        "requested_by": row.requested_by,
        "error": row.last_error or None,
        "created_at": rfc3339(row.created_at),
        "finished_at": rfc3339(row.finished_at),
    }


def command_without_names(row: Command) -> dict[str, Any]:
    """Show a command with roles in the place of names."""
    return {**command(row), "requested_by": actors.role_of(row.requested_by)}


def attempt(row: CheckAttempt) -> dict[str, Any]:
    """Show a look that the reconciliation took."""
    return {
        "number": row.number,
        "result": row.result,
        "provider_status": row.provider_status or None,
        "done": row.done or None,
        "error": row.error or None,
        "at": rfc3339(row.at),
        "finished_at": rfc3339(row.finished_at),
    }


def _failure(row: Payment) -> dict[str, str] | None:
    return {"code": row.failure_code, "message": row.failure_message} if row.failure_code else None


def _dispute(row: Dispute) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "provider_ref": row.provider_ref,
        "amount": row.amount,
        "currency": row.currency,
        "reason": row.reason or None,
        "status": row.status,
        "is_closed": row.is_closed,
        "respond_by": rfc3339(row.respond_by),
        "created_at": rfc3339(row.created_at),
    }
