"""Chargebacks, recorded beside the payment in their own currency.

No figure of the payment changes by one.
"""

from datetime import datetime

from payments import locks, outcome_steps
from payments.errors import OutcomeMismatchError, UnknownPaymentError
from payments.models import Dispute, Payment
from payments.outcome_steps import HandlingResult
from payments.outcome_types import Effect, PaymentOutcome, ProviderDispute


def apply(*, outcome: PaymentOutcome, theirs: ProviderDispute) -> HandlingResult:
    """Record what an event says of a dispute. Inside a transaction.

    Events come in any order: an older one changes nothing, and a dispute may be closed by the first that comes.

    Raises:
        UnknownPaymentError: There is no such payment (yet).
        OutcomeMismatchError: It is of less than nothing.
    """
    locked = locks.find_payment_for_update(**outcome_steps.named(outcome))
    if locked is None:
        raise UnknownPaymentError(outcome_steps.reference(outcome))
    payment = locked.row
    if theirs.amount < 0:
        raise OutcomeMismatchError(f"{theirs.ref}: a dispute of less than nothing.")
    known = locks.find_dispute_for_update(payment=payment, provider_ref=theirs.ref)
    if known is None:
        _open(payment, theirs, locked.at)
        return HandlingResult(payment=payment, effect=Effect.APPLIED)
    newer = known.update(
        status=theirs.status, is_closed=theirs.is_closed, respond_by=theirs.respond_by, as_of=theirs.as_of
    )
    if newer:
        known.save(update_fields=["status", "is_closed", "respond_by", "as_of"])
    return HandlingResult(payment=payment, effect=Effect.APPLIED if newer else Effect.STALE)


def _open(payment: Payment, theirs: ProviderDispute, at: datetime) -> None:
    Dispute.objects.create(
        operator_id=payment.operator_id,
        payment=payment,
        provider_ref=theirs.ref,
        amount=theirs.amount,
        currency=theirs.currency,
        reason=theirs.reason,
        status=theirs.status,
        is_closed=theirs.is_closed,
        respond_by=theirs.respond_by,
        as_of=theirs.as_of,
        created_at=at,
    )
