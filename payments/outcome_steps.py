"""Steps that handle an outcome: find its payment, react, write.

Each owner of payments calls them.

``payments.outcomes`` does so for payments that nothing else drives, ``booking.outcomes`` for those of reservations.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common import database
from payments import commands, payment_outcomes, refund_steps
from payments.errors import OutcomeMismatchError, UnknownPaymentError
from payments.models import Command, Payment, Refund
from payments.outcome_types import Effect, Outcome, PaymentOutcome
from payments.payment_outcomes import Change
from payments.states import COMMAND_OPEN, CommandKind

logger = logging.getLogger("holdfast.commands")

ACTOR = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingResult:
    """What an outcome changed, and the payment as it is now."""

    payment: Payment
    effect: Effect
    next_command: UUID | None = None
    """The command of the payment that waited for the one whose answer this was."""


def named(outcome: PaymentOutcome) -> dict[str, Any]:
    """Return the fields that find the payment: id or reference.

    Raises:
        UnknownPaymentError: It tells of none.
    """
    ours = outcome.payment_id or (outcome.payment.payment_id if outcome.payment else None)
    if ours is not None:
        return {"id": ours}
    if not reference(outcome):
        raise UnknownPaymentError("The outcome names no payment.")
    told = outcome.payment or outcome.refund or outcome.dispute
    account = told.account if told else ""
    return {"provider": outcome.provider, "provider_account": account, "provider_ref": reference(outcome)}


def pick(payments: Sequence[Payment], outcome: PaymentOutcome) -> Payment:
    """Return the payment of an outcome, among those found by it."""
    by = named(outcome)
    return next(payment for payment in payments if all(getattr(payment, name) == by[name] for name in by))


def reference(outcome: PaymentOutcome) -> str:
    """Return the provider's reference of the payment, or our id."""
    if outcome.payment is not None:
        return outcome.payment.ref
    told = outcome.refund or outcome.dispute
    return (told.payment_ref if told else "") or str(outcome.payment_id or "")


def check_provider(payment: Payment, outcome: PaymentOutcome) -> None:
    """Refuse what one provider says of another's payment.

    Raises:
        OutcomeMismatchError: The payment is of another provider.
    """
    if payment.provider != outcome.provider:
        message = f"{reference(outcome)} of {outcome.provider} claims to be a payment of {payment.provider}."
        raise OutcomeMismatchError(message)


def is_of_refund(outcome: PaymentOutcome) -> bool:
    """Tell whether an outcome is of a refund, not of the payment."""
    return outcome.refund is not None or (outcome.command is not None and outcome.command.kind == CommandKind.REFUND)


def release(payment: Payment, at: datetime, *, reason: str) -> list[Command]:
    """Request the hold's release or the payment's end, once.

    The payment is locked.
    """
    if payment.commands.filter(kind=CommandKind.CANCEL, status__in=sorted(COMMAND_OPEN)).exists():
        return []
    return [commands.new(payment=payment, kind=CommandKind.CANCEL, requested_by=ACTOR, reason=reason, now=at)]


def close_failed(payment: Payment, outcome: PaymentOutcome, at: datetime) -> list[Command]:
    """Close at the provider what a declined payment may have left open."""
    if outcome.kind in (Outcome.DECLINED, Outcome.REFUSED) and payment.provider_ref:
        return release(payment, at, reason="closes a payment that failed")
    return []


def refund_late(payment: Payment, at: datetime, *, amount: int) -> tuple[Refund, Command]:
    """Request a refund of money that came after the end (P8).

    In minor units. The payment is locked.
    """
    return refund_steps.new(payment=payment, amount=amount, reason="late_payment", requested_by=ACTOR, now=at)


def changed_fields(change: Change, outcome: PaymentOutcome, effect: Effect) -> Sequence[str]:
    """List the fields of the payment that have to be written."""
    is_change = change not in (Change.NONE, Change.STALE) or (
        outcome.payment is not None and outcome.command is not None
    )
    fields = payment_outcomes.CHANGED_FIELDS if is_change else ()
    return fields + (("amount_refunding",) if effect is Effect.REFUNDING else ())


def write(outcome: PaymentOutcome, at: datetime, *changes: tuple[Any, Sequence[str]]) -> UUID | None:
    """Write locked rows and the answered command in one statement.

    The command is left alone if another sender has it by now. Returns the command that waited for it.
    """
    command = outcome.command
    if command is None:
        database.update_together(*changes)
        return None
    commands.finish(command, outcome, at=at)
    recorded = database.update_together(*changes, fenced=commands.fenced(command))
    if recorded is None:
        logger.warning("A sender was too slow; another has its command.", extra={"command": str(command.pk)})
        return None
    following: UUID | None = recorded[0]
    return None if command.is_open else following
