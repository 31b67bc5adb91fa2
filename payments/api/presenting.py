"""From a payment to the fields of the HTTP contract."""

from typing import Any

from payments.models import Payment


def payment(row: Payment) -> dict[str, Any]:
    """Show a payment."""
    failure = {"code": row.failure_code, "message": row.failure_message} if row.failure_code else None
    return {
        "id": str(row.pk),
        "status": row.status,
        "provider": row.provider,
        "provider_ref": row.provider_ref or None,
        "amount": row.amount,
        "currency": row.currency,
        "client_secret": row.client_secret or None,
        "next_action": row.next_action,
        "failure": failure,
    }
