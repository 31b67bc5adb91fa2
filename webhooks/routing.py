"""From a provider's notification to news about a payment, and through the one door."""

from dataclasses import replace

from booking import settlement
from payments.outcomes import (
    Effect,
    Outcome,
    PaymentOutcome,
    ProviderDispute,
    ProviderNews,
    ProviderPayment,
    ProviderRefund,
)
from payments.providers import registry
from payments.providers.base import Notification
from webhooks import proofs
from webhooks.models import Event

Reading = ProviderNews | None


def read(*, provider: str, notification: Notification) -> Reading:
    """Say what a notification tells, or None if it is none of our business."""
    return registry.get(provider).read(notification=notification)


def captured(reading: Reading) -> tuple[int, str]:
    """Return the money that a reading proves to be captured, in minor units, and its currency."""
    if isinstance(reading, ProviderPayment) and reading.outcome is Outcome.CAPTURED:
        return reading.amount_captured, reading.currency
    return 0, ""


def apply(event: Event, reading: Reading) -> Effect | None:
    """Settle what a stored event tells; None if that is nothing. Inside the transaction that stored or locked it.

    Raises:
        UnknownPaymentError: It is of a payment that we do not have (yet).
        OutcomeMismatchError: It contradicts the payment that it is of.
        NotProvenError, WrongModeError: It is not authentic for its account, or not of this installation's mode.
    """
    if reading is None:
        return None
    proofs.check(event)
    settled = settlement.settle_any(news=_news(event, reading))
    event.payment_id = settled.payment.pk
    return settled.effect


def _news(event: Event, reading: ProviderNews) -> PaymentOutcome:
    heard = PaymentOutcome(
        provider=event.provider,
        actor=f"event:{event.event_id}",
        reason=event.type,
        event_id=event.pk,
        occurred_at=event.occurred_at,
    )
    if isinstance(reading, ProviderRefund):
        return replace(heard, refund=reading)
    if isinstance(reading, ProviderDispute):
        return replace(heard, dispute=reading)
    return replace(heard, payment=reading, outcome=reading.outcome, failure=reading.failure)
