"""Reading payments, refunds and transactions, as the API lists them."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from common.errors import NotFoundError
from payments.errors import NotFinalError
from payments.models import CheckAttempt, Command, Payment, Refund, Transaction
from payments.states import TransactionKind
from tenants import scoping
from tenants.models import Operator


def payments(*, operator: Operator) -> QuerySet[Payment]:
    """Select an operator's payments, its reservations' too."""
    return scoping.of_operator(Payment.objects.all(), operator)


def get_payment(*, operator: Operator, payment_id: UUID) -> Payment:
    """Read one payment.

    Raises:
        NotFoundError: The operator has no such payment.
    """
    found = payments(operator=operator).filter(pk=payment_id).first()
    if found is None:
        raise NotFoundError(kind="payment intent")
    return found


def get_result(*, operator: Operator, payment_id: UUID) -> Payment:
    """Read a payment that is over.

    Raises:
        NotFoundError: The operator has no such payment.
        NotFinalError: It may still become something else.
    """
    found = get_payment(operator=operator, payment_id=payment_id)
    if not found.is_final:
        raise NotFinalError
    return found


def refunds(*, operator: Operator) -> QuerySet[Refund]:
    """Select an operator's refunds."""
    return scoping.of_operator(Refund.objects.select_related("payment"), operator)


def get_refund(*, operator: Operator, refund_id: UUID) -> Refund:
    """Read one refund.

    Raises:
        NotFoundError: The operator has no such refund.
    """
    found = refunds(operator=operator).filter(pk=refund_id).first()
    if found is None:
        raise NotFoundError(kind="refund")
    return found


def transactions(
    *, operator: Operator, status: str | None, kind: str | None, start: datetime | None, end: datetime | None
) -> QuerySet[Transaction]:
    """Select an operator's movements of money from ``start`` until ``end``."""
    wanted = {"status": status, "kind": kind, "created_at__gte": start, "created_at__lt": end}
    given = {name: value for name, value in wanted.items() if value is not None}
    return scoping.of_operator(Transaction.objects.filter(**given), operator)


def get_transaction(*, operator: Operator, transaction_id: UUID) -> Transaction:
    """Read one movement of money.

    Raises:
        NotFoundError: The operator has no such transaction.
    """
    found = scoping.of_operator(Transaction.objects.filter(pk=transaction_id), operator).first()
    if found is None:
        raise NotFoundError(kind="transaction")
    return found


def check_attempts_of(transaction: Transaction) -> QuerySet[CheckAttempt]:
    """Select the status checks of a transaction's payment, oldest first."""
    return CheckAttempt.objects.filter(payment=transaction.payment_id).order_by("number")


def commands_of(transaction: Transaction) -> QuerySet[Command]:
    """Select what was asked of the provider for a transaction, oldest first."""
    if transaction.kind == TransactionKind.REFUND:
        return Command.objects.filter(refund=transaction.pk)
    return Command.objects.filter(payment=transaction.payment_id, refund=None)
