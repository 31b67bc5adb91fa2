"""From a provider's notification to an outcome, and through the one door."""

from dataclasses import replace
from datetime import timedelta

from django.conf import settings

from booking import outcomes
from common.errors import SpokenError
from payments.outcome_types import (
    Effect,
    Outcome,
    PaymentOutcome,
    ProviderDispute,
    ProviderNews,
    ProviderPayment,
    ProviderRefund,
)
from payments.providers import registry
from payments.providers.base import Notification, UnreadableError
from webhooks import proofs
from webhooks.models import Event

Reading = ProviderNews | None

_CLOCKS_DIFFER = timedelta(days=1)
"""News is put in order by the provider's time: one from the future would make all that follows old."""


class FutureError(SpokenError):
    """An event says that it happened long after it was received."""


def read(*, provider: str, notification: Notification) -> Reading:
    """Read the outcome of a notification; None if it is not ours.

    Raises:
        UnreadableError: It cannot be read.
    """
    if notification.problem:
        raise UnreadableError(notification.problem)
    return registry.get(provider).read(notification=notification)


def captured(reading: Reading) -> tuple[int, str]:
    """Return the captured money (minor units) that a reading proves."""
    if isinstance(reading, ProviderPayment) and reading.outcome is Outcome.CAPTURED:
        return reading.amount_captured, reading.currency
    return 0, ""


def bears_our_mark(reading: Reading) -> bool:
    """Tell whether a reading names something that this installation made.

    Other programs may use the account.
    """
    if isinstance(reading, ProviderPayment):
        return reading.payment_id is not None and reading.installation == settings.INSTALLATION
    return isinstance(reading, ProviderRefund) and reading.refund_id is not None


def apply(event: Event, reading: Reading) -> Effect | None:
    """Handle a stored event's outcome; None if it has none.

    Inside the transaction that stored or locked it.

    Raises:
        UnknownPaymentError: It is of a payment that we do not have (yet).
        OutcomeMismatchError: It contradicts the payment that it is of.
        FutureError: It happened in a time to come.
        NotProvenError, WrongModeError: It is not authentic for its account, or not of this installation's mode.
    """
    if reading is None:
        return None
    proofs.check(event)
    if event.occurred_at is not None and event.occurred_at - event.received_at > _CLOCKS_DIFFER:
        raise FutureError("it happened in a time to come, by the provider's clock")
    result = outcomes.handle(outcome=_outcome(event, reading))
    event.payment_id = result.payment.pk
    return result.effect


def _outcome(event: Event, reading: ProviderNews) -> PaymentOutcome:
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
    return replace(heard, payment=reading, kind=reading.outcome, failure=reading.failure)
