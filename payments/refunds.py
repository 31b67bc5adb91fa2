"""Refund requests: the money is reserved, and a worker asks the provider."""

from uuid import UUID

from common import database
from common.errors import NotFoundError
from common.locking import Locked
from common.states import InvalidStateError
from payments import execution, locks, managers, refund_steps
from payments.errors import PaymentDisputedError, RefundExceedsPaymentError
from payments.models import Command, Payment, Refund
from payments.states import CommandStatus, RefundStatus
from tenants.models import Operator


def request(
    *,
    operator: Operator,
    payment_id: UUID,
    operation_id: UUID,
    amount: int | None,
    reason: str,
    actor: str,
    keep_places: bool = False,
) -> Refund:
    """Request a refund in minor units (None: all that is left).

    Of a reservation's payment so much less is owed from now on; its places are freed when the provider's event says
    that all money is back, unless the guest is to ``keep_places``. The operation's id becomes the refund's. Must be
    called outside a transaction.

    Raises:
        NotFoundError: The operator has no such payment.
        InvalidStateError: It has taken no money.
        PaymentDisputedError: The customer's bank disputes it.
        RefundExceedsPaymentError: More than is left, or nothing is left.
        ValidationError: Places are to be kept of a payment that is of no reservation.
    """
    with database.use_case():
        locked = managers.get_for_update(payment_id=payment_id, operator_id=operator.pk)
        payment = locked.payment
        earlier = payment.refunds.filter(pk=operation_id).first()
        if earlier is not None:
            return earlier
        left = _refundable(payment)
        wanted = left if amount is None else amount
        if not 0 < wanted <= left:
            raise RefundExceedsPaymentError(left=left, currency=payment.currency)
        refund, command = refund_steps.new(
            payment=payment,
            amount=wanted,
            reason=reason,
            requested_by=actor,
            now=locked.at,
            refund_id=operation_id,
        )
        locked.give_back(refund, keeps_places=keep_places)
        _store(payment, refund, command)
    return refund


def request_again(*, refund_id: UUID, actor: str) -> Refund:
    """Request a failed refund anew, or a hanging one at once.

    The new one has a key of its own.

    Must be called outside a transaction.

    Raises:
        InvalidStateError: It was asked for again already, has arrived, or is being asked for at this moment.
        PaymentDisputedError, RefundExceedsPaymentError: It cannot be given back.
    """
    with database.use_case():
        locked, refund = _get_for_update(refund_id)
        payment, now = locked.row, locked.at
        if refund.status == RefundStatus.PENDING:
            command = _waiting_command(refund)
            command.next_attempt_at = now
            database.update_together((command, ["next_attempt_at"]))
            execution.queue(command_id=command.pk)
            return refund
        if refund.status == RefundStatus.SUCCEEDED or Refund.objects.filter(replaces=refund).exists():
            raise InvalidStateError(kind="refund", status=refund.status, wanted="requested again")
        left = _refundable(payment)
        if left <= 0:
            raise RefundExceedsPaymentError(left=left, currency=payment.currency)
        anew, command = refund_steps.new(
            payment=payment,
            amount=min(refund.amount, left),
            reason=refund.reason,
            requested_by=actor,
            now=now,
            replaces=refund,
        )
        _store(payment, anew, command)
    return anew


def withdraw(*, refund_id: UUID, actor: str) -> Refund:
    """Withdraw a hanging refund that was paid another way.

    Outside a transaction.

    Raises:
        InvalidStateError: It has arrived, or is on its way at the provider.
    """
    with database.use_case():
        locked, refund = _get_for_update(refund_id)
        payment, now = locked.row, locked.at
        if refund.status == RefundStatus.SUCCEEDED:
            raise InvalidStateError(kind="refund", status=refund.status, wanted=RefundStatus.CANCELED)
        if refund.status == RefundStatus.PENDING:
            command = _waiting_command(refund)
            command.move(CommandStatus.DONE)
            command.finished_at, command.next_attempt_at, command.last_error = now, None, f"withdrawn by {actor}"
            refund.move(RefundStatus.CANCELED, at=now)
            payment.amount_refunding -= refund.amount
            database.update_together(
                (payment, refund_steps.CHANGED_FIELDS),
                (refund, ["status", "changed_at"]),
                (command, ["status", "finished_at", "next_attempt_at", "last_error"]),
            )
    return refund


def _refundable(payment: Payment) -> int:
    """Return what is left of captured money, late money included."""
    if payment.amount_captured == 0:
        raise InvalidStateError(kind="payment", status=payment.status, wanted="refunded")
    if payment.is_disputed:
        raise PaymentDisputedError
    return payment.amount_refundable


def _get_for_update(refund_id: UUID) -> tuple[Locked[Payment], Refund]:
    """Lock a refund and, before it, its payment."""
    payment_id = Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id)
    locked = locks.find_payment_for_update(pk=payment_id)
    if locked is None:
        raise NotFoundError(kind="payment")
    refund = locks.find_refund_for_update(payment=locked.row, refund_id=refund_id, provider_ref="")
    if refund is None:
        raise NotFoundError(kind="refund")
    return locked, refund


def _waiting_command(refund: Refund) -> Command:
    """Lock the command of a refund that waits for its next attempt and was not sent yet."""
    command = locks.find_unsent_command_for_update(refund=refund)
    if command is None:
        raise InvalidStateError(kind="refund", status=refund.status, wanted="requested again")
    return command


def _store(payment: Payment, refund: Refund, command: Command) -> None:
    database.update_together((payment, refund_steps.CHANGED_FIELDS))
    database.insert_together(refund)
    database.insert_together(command)
    execution.queue(command_id=command.pk)
