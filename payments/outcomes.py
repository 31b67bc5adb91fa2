"""Handle what a provider says of a payment that nothing else drives."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from common import database
from payments import locks, outcome_steps, payment_outcomes, refund_outcomes, refund_steps
from payments.errors import UnknownPaymentError
from payments.models import Payment
from payments.outcome_steps import HandlingResult
from payments.outcome_types import Effect, PaymentOutcome
from payments.payment_outcomes import Change


def handle(*, outcome: PaymentOutcome) -> HandlingResult:
    """Lock the payment, apply the outcome, write, and return the effect.

    Must be called inside a transaction.

    Raises:
        UnknownPaymentError: There is no such payment (yet), or something else drives it.
        OutcomeMismatchError: It contradicts the payment: another amount, currency, account or object.
    """
    database.require_transaction()
    locked = locks.find_payment_for_update(**outcome_steps.named(outcome), managed_by="")
    if locked is None:
        raise UnknownPaymentError(outcome_steps.reference(outcome))
    payment, at = locked.row, locked.at
    outcome_steps.check_provider(payment, outcome)
    if outcome_steps.is_of_refund(outcome):
        effect = refund_outcomes.apply(payment, outcome, at=at).effect
        following = outcome_steps.write(outcome, at, (payment, refund_steps.CHANGED_FIELDS))
        return HandlingResult(payment=payment, effect=effect, next_command=following)
    change = payment_outcomes.apply(payment, outcome, at=at)
    effect, wanted = _react(payment, change, outcome, at)
    following = outcome_steps.write(outcome, at, (payment, outcome_steps.changed_fields(change, outcome, effect)))
    database.insert_together(*wanted)
    return HandlingResult(payment=payment, effect=effect, next_command=following)


def _react(payment: Payment, change: Change, outcome: PaymentOutcome, at: datetime) -> tuple[Effect, Sequence[Any]]:
    match change:
        case Change.LATE:
            return Effect.REFUNDING, outcome_steps.refund_late(payment, at, amount=payment.amount_captured)
        case Change.LOST:
            return Effect.APPLIED, outcome_steps.close_failed(payment, outcome, at)
        case Change.NONE:
            return Effect.ALREADY, []
        case Change.STALE:
            return Effect.STALE, []
    return Effect.APPLIED, []
