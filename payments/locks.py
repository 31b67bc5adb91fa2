"""Locks on payments and refunds.

Order: event → reservation → payment → slots.
"""

from typing import Any
from uuid import UUID

from django.db.models import Q

from common import database
from common.compiled import CompiledBy
from common.locking import Locked, clocked
from payments.models import Command, Dispute, Payment, Refund
from payments.states import CommandStatus

_PAYMENT = CompiledBy(lambda: clocked(Payment.objects.select_for_update(no_key=True)))


def find_payment_for_update(**where: Any) -> Locked[Payment] | None:
    """Lock the payment with these values.

    What manages it must be locked before, if at all.
    """
    database.require_transaction()
    found = _PAYMENT.first(**where)
    return Locked.of(found) if found is not None else None


def find_payment_to_check(*, where: Q) -> Locked[Payment] | None:
    """Lock a payment to check; None if another process has it.

    Locks nothing else.
    """
    found = clocked(Payment.objects.select_for_update(no_key=True, skip_locked=True).filter(where)).first()
    return Locked.of(found) if found is not None else None


def find_refund_for_update(*, payment: Payment, refund_id: UUID | None, provider_ref: str) -> Refund | None:
    """Lock a locked payment's refund by our id or the provider's.

    By ours, if the provider tells one that we gave.
    """
    mine = Refund.objects.select_for_update(no_key=True).filter(payment=payment)
    asked = mine.filter(pk=refund_id).first() if refund_id else None
    return asked or (mine.filter(provider_ref=provider_ref).first() if provider_ref else None)


def find_unsent_command_for_update(*, refund: Refund) -> Command | None:
    """Lock the unsent command of a refund, unless a sender has it.

    Its payment is locked; the command waits for its next attempt.
    """
    unsent = refund.commands.select_for_update(no_key=True, skip_locked=True).filter(status=CommandStatus.REQUESTED)
    return unsent.order_by("-id").first()


def find_dispute_for_update(*, payment: Payment, provider_ref: str) -> Dispute | None:
    """Lock a dispute of a locked payment."""
    return Dispute.objects.select_for_update(no_key=True).filter(payment=payment, provider_ref=provider_ref).first()
