"""Asking for a refund: the money is reserved on the payment at once, and a worker asks the provider."""

from uuid import UUID

from common import database
from common.errors import NotFoundError
from common.states import InvalidStateError
from payments import carrying_out, locks, refunding
from payments.errors import RefundExceedsPaymentError
from payments.models import Refund
from payments.states import PaymentStatus
from tenants.models import Operator


def request(
    *, operator: Operator, payment_id: UUID, operation_id: UUID, amount: int | None, reason: str, actor: str
) -> Refund:
    """Reserve an amount (minor units; None: all that is left) of captured money and have it given back.

    A reservation's payment is refunded here too: what it means for the reservation is settled when the provider's event
    comes. The operation's id becomes the refund's. Must be called outside a transaction.

    Raises:
        NotFoundError: The operator has no such payment.
        InvalidStateError: It has taken no money.
        RefundExceedsPaymentError: More than is left, or nothing is left.
    """
    with database.use_case():
        payment = locks.find_payment_for_update(pk=payment_id, operator=operator.pk)
        if payment is None:
            raise NotFoundError(kind="payment")
        earlier = payment.refunds.filter(pk=operation_id).first()
        if earlier is not None:
            return earlier
        if payment.status != PaymentStatus.SUCCEEDED:
            raise InvalidStateError(kind="payment", status=payment.status, wanted="refunded")
        left = payment.amount_refundable
        wanted = left if amount is None else amount
        if not 0 < wanted <= left:
            raise RefundExceedsPaymentError(left=left, currency=payment.currency)
        refund, command = refunding.request(
            payment=payment,
            amount=wanted,
            reason=reason,
            requested_by=actor,
            now=payment.db_now,  # type: ignore[attr-defined]  # annotated by the lock
            refund_id=operation_id,
        )
        database.update_together((payment, refunding.CHANGED_FIELDS))
        database.insert_together(refund)
        database.insert_together(command)
        carrying_out.queue(command_id=command.pk)
    return refund
