"""From a provider's notification to an outcome, and through the one door."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.conf import settings

from booking import outcomes
from common.errors import SpokenError
from payments.errors import OutcomeMismatchError
from payments.outcome_types import (
    Effect,
    Outcome,
    PaymentOutcome,
    ProviderDispute,
    ProviderObject,
    ProviderPayment,
    ProviderRefund,
)
from payments.providers import registry
from payments.providers.errors import UnreadableError
from payments.providers.notifications import Notification
from webhooks import proofs
from webhooks.models import Event

Reading = Sequence[ProviderObject]
"""What an event tells, in order; empty if it is not ours."""

_EFFECTS = (Effect.REFUNDING, Effect.APPLIED, Effect.ALREADY, Effect.STALE)
"""Of several outcomes of one event, the first of these is its effect."""

_CLOCKS_DIFFER = timedelta(days=1)
"""Outcomes are put in order by the provider's time: one from the future would make all that follows old."""


class FutureError(SpokenError):
    """An event says that it happened long after it was received."""


def read(*, provider: str, notification: Notification) -> Reading:
    """Read the outcomes of a notification; nothing if it is not ours.

    Raises:
        UnreadableError: It cannot be read.
    """
    if notification.problem:
        raise UnreadableError(notification.problem)
    return registry.get(provider).read(notification=notification)


def captured(reading: Reading) -> tuple[int, str]:
    """Return the captured money (minor units) that a reading proves."""
    for told in reading:
        if isinstance(told, ProviderPayment) and told.outcome is Outcome.CAPTURED:
            return told.amount_captured, told.currency
    return 0, ""


def bears_our_mark(reading: Reading) -> bool:
    """Tell whether a reading names something that this installation made.

    Other programs may use the account.
    """
    return any(_is_marked(told) for told in reading)


def _is_marked(told: ProviderObject) -> bool:
    if isinstance(told, ProviderPayment):
        return told.payment_id is not None and told.installation == settings.INSTALLATION
    return isinstance(told, ProviderRefund) and told.refund_id is not None


def apply(event: Event, reading: Reading) -> Effect | None:
    """Handle a stored event's outcomes, all or none of them.

    Returns None if it has none.

    Inside the transaction that stored or locked it.

    Raises:
        UnknownPaymentError: It is of a payment that we do not have (yet).
        OutcomeMismatchError: It contradicts the payment that it is of, or is of two.
        FutureError: It happened in a time to come.
        NotProvenError, WrongModeError: It is not authentic for its account, or not of this installation's mode.
    """
    if not reading:
        return None
    proofs.check(event)
    if event.occurred_at is not None and event.occurred_at - event.received_at > _CLOCKS_DIFFER:
        raise FutureError("it happened in a time to come, by the provider's clock")
    results = [outcomes.handle(outcome=_outcome(event, told)) for told in reading]
    event.payment_id = results[0].payment.pk
    if any(result.payment.pk != event.payment_id for result in results):
        raise OutcomeMismatchError("it tells of more than one payment")
    effects = {result.effect for result in results}
    return next(effect for effect in _EFFECTS if effect in effects)


def _outcome(event: Event, told: ProviderObject) -> PaymentOutcome:
    heard = PaymentOutcome(
        provider=event.provider,
        actor=f"event:{event.event_id}",
        reason=event.type,
        event_id=event.pk,
        occurred_at=event.occurred_at,
    )
    if isinstance(told, ProviderRefund):
        return replace(heard, refund=told)
    if isinstance(told, ProviderDispute):
        return replace(heard, dispute=told)
    return replace(heard, payment=told, kind=told.outcome, failure=told.failure)
