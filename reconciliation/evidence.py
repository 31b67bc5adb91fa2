"""The evidence of a discrepancy: both sides, our commands, and the events."""

from typing import Any

from common.times import rfc3339
from payments.models import Payment
from payments.outcome_types import ProviderPayment
from webhooks.models import Event


def of_payment(payment: Payment, theirs: ProviderPayment | None = None) -> dict[str, Any]:
    """Return a payment with its commands, events, checks and provider's state."""
    return {
        "ours": {
            "payment": str(payment.pk),
            "provider_ref": payment.provider_ref,
            "status": payment.status,
            "amount": payment.amount,
            "currency": payment.currency,
            "captured": payment.amount_captured,
            "refunded": payment.amount_refunded,
            "refunding": payment.amount_refunding,
            "changed_at": rfc3339(payment.changed_at),
        },
        "theirs": None if theirs is None else of_theirs(theirs),
        "commands": [
            {
                "id": str(command.pk),
                "kind": command.kind,
                "status": command.status,
                "amount": command.amount,
                "attempts": command.attempts,
                "error": command.last_error,
                "at": rfc3339(command.created_at),
            }
            for command in payment.commands.all()
        ],
        "events": [of_event(event) for event in payment.events.all()],
        "attempts": [
            {
                "number": attempt.number,
                "result": attempt.result,
                "provider_status": attempt.provider_status,
                "error": attempt.error,
                "at": rfc3339(attempt.at),
            }
            for attempt in payment.check_attempts.all()
        ],
    }


def of_event(event: Event) -> dict[str, Any]:
    """Write down an event; what it carries stays in the inbox."""
    return {
        "id": event.event_id,
        "type": event.type,
        "object": event.object_ref,
        "source": event.source,
        "status": event.status,
        "effect": event.effect,
        "captured": event.captured_amount,
        "at": rfc3339(event.occurred_at),
    }


def of_theirs(theirs: ProviderPayment) -> dict[str, Any]:
    """Write down a payment as the provider has it."""
    return {
        "ref": theirs.ref,
        "status": theirs.outcome.value,
        "amount": theirs.amount,
        "currency": theirs.currency,
        "captured": theirs.amount_captured,
        "installation": theirs.installation,
    }
