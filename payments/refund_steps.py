"""Steps of a refund: reserve the money, and make the command.

``refund_outcomes`` has what comes of it.
"""

from datetime import datetime
from uuid import UUID

from common import ids
from payments import commands
from payments.models import Command, Payment, Refund
from payments.states import CommandKind

CHANGED_FIELDS = ("amount_refunding", "amount_refunded")
"""Every field of a payment that refunds change."""

ACTOR = "refunds"


def new(
    *,
    payment: Payment,
    amount: int,
    reason: str,
    requested_by: str,
    now: datetime,
    refund_id: UUID | None = None,
    replaces: Refund | None = None,
) -> tuple[Refund, Command]:
    """Reserve an amount for a refund; return the unstored refund and command.

    The payment is locked.

    The database refuses more than was captured; the caller writes ``CHANGED_FIELDS`` of the payment.
    """
    payment.amount_refunding += amount
    refund = Refund(
        id=refund_id or ids.new_id(),
        operator_id=payment.operator_id,
        payment=payment,
        amount=amount,
        reason=reason,
        created_at=now,
        changed_at=now,
        requested_by=requested_by,
        replaces=replaces,
    )
    return refund, ask(refund, payment, requested_by=requested_by, now=now)


def ask(refund: Refund, payment: Payment, *, requested_by: str, now: datetime) -> Command:
    """Make the command that requests a refund, with its own key."""
    return commands.new(
        payment=payment,
        kind=CommandKind.REFUND,
        requested_by=requested_by,
        reason=refund.reason,
        now=now,
        amount=refund.amount,
        refund=refund,
    )
