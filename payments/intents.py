"""The payments API's own payments: create, confirm, capture, cancel.

Each is a command; a worker sends most.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError

from common import database
from common.errors import NotFoundError, ValidationError
from common.locking import AsOf, Locked, clocked
from common.states import InvalidStateError
from idempotency.keys import Operation
from payments import accounts, commands, execution, limits, locks, parameters
from payments.errors import ManagedPaymentError, NoAccountError, SandboxOnlyError, why_failed
from payments.models import Command, Payment
from payments.payment_outcomes import CHANGED_FIELDS
from payments.providers import registry
from payments.states import COMMAND_OPEN, CaptureMethod, CommandKind, PaymentStatus
from tenants.models import ApiClient, Operator

_CONFIRMABLE = (PaymentStatus.REQUIRES_CONFIRMATION, PaymentStatus.REQUIRES_PAYMENT_METHOD)
_CANCELABLE = (*_CONFIRMABLE, PaymentStatus.REQUIRES_ACTION, PaymentStatus.ON_HOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to pay (minor units), by whom, and how."""

    amount: int
    currency: str
    capture_method: CaptureMethod
    customer_id: str
    payment_method_id: str
    metadata: Mapping[str, str]


def create(*, client: ApiClient, actor: str, operation: Operation, request: Request) -> Payment:
    """Store a payment and have the provider make its intent.

    No money is held or taken yet.

    The operation's id becomes the payment's: a second run with it goes on from where the first one stopped. If the
    provider's answer is not known the payment has no ``provider_ref`` yet, and gets it when the sweep has asked again.
    Must be called outside a transaction.

    Raises:
        ValidationError: The provider cannot charge the amount, or cannot hold it; nothing is kept.
        CardError, PaymentRefusedError: The provider refused it; the payment is ``failed``.
    """
    is_there = operation.resumed and Payment.objects.filter(pk=operation.id).exists()
    try:
        command = _claim_creation(operation.id) if is_there else _create(client, actor, operation.id, request)
    except IntegrityError:  # the first run was only slow, and has made it since
        command = _claim_creation(operation.id)
    done = execution.execute_claimed(command) if command is not None else None
    payment = done.result.payment if done is not None else Payment.objects.get(pk=operation.id)
    if payment.status == PaymentStatus.FAILED:
        raise why_failed(code=payment.failure_code, message=payment.failure_message)
    return payment


def confirm(
    *, operator: Operator, payment_id: UUID, operation_id: UUID, actor: str, payment_method_id: str, force_failure: bool
) -> Payment:
    """Have a worker hold or take a created payment's money.

    Must be called outside a transaction.

    Raises:
        NotFoundError, ManagedPaymentError, InvalidStateError: It is not there, not ours to drive, or confirmed already.
        ValidationError: Neither the payment nor the request names a payment method.
        SandboxOnlyError: ``force_failure`` outside the sandbox.
    """
    if force_failure and not any(provider.is_sandbox for provider in settings.PROVIDERS.values()):
        raise SandboxOnlyError
    with database.use_case():
        locked, earlier = _get_for_update(operator, payment_id, operation_id)
        payment = locked.row
        if earlier is not None:
            return payment
        _refuse_unless(payment, _CONFIRMABLE, PaymentStatus.PROCESSING)
        if payment.commands.filter(kind=CommandKind.CANCEL).exists():
            raise InvalidStateError(kind="payment", status=PaymentStatus.CANCELED, wanted=PaymentStatus.PROCESSING)
        if _find_open(payment, CommandKind.CONFIRM) is not None:  # its decline was heard before its answer
            raise InvalidStateError(kind="payment", status=PaymentStatus.PROCESSING, wanted=PaymentStatus.PROCESSING)
        payment.payment_method_id = payment_method_id or payment.payment_method_id
        if not payment.payment_method_id:
            raise ValidationError(param="payment_method_id", code="required", message="Give a payment_method_id.")
        if force_failure:
            payment.payment_method_id = registry.get(payment.provider).declining_method
            if not payment.payment_method_id:
                raise SandboxOnlyError
        _ask(locked, CommandKind.CONFIRM, operation_id, actor, amount=payment.amount)
    return payment


def capture(*, operator: Operator, payment_id: UUID, operation_id: UUID, actor: str, amount: int | None) -> Payment:
    """Have a worker take held money, all or a part.

    The rest of the hold is released. Must be called outside a transaction.

    Raises:
        NotFoundError, ManagedPaymentError, InvalidStateError: It is not there, not ours to drive, or not on hold.
        ValidationError: It cannot be captured of this hold.
    """
    with database.use_case():
        locked, earlier = _get_for_update(operator, payment_id, operation_id)
        payment = locked.row
        if earlier is not None:
            return payment
        _refuse_unless(payment, (PaymentStatus.ON_HOLD,), PaymentStatus.SUCCEEDED)
        if payment.commands.filter(kind=CommandKind.CANCEL, status__in=sorted(COMMAND_OPEN)).exists():
            raise InvalidStateError(kind="payment", status=PaymentStatus.CANCELED, wanted=PaymentStatus.SUCCEEDED)
        wanted = payment.amount if amount is None else amount
        limits.check_capture(payment=payment, amount=wanted)
        _ask(locked, CommandKind.CAPTURE, operation_id, actor, amount=wanted)
    return payment


def cancel(*, operator: Operator, payment_id: UUID, operation_id: UUID, actor: str) -> Payment:
    """Cancel a payment that has taken no money.

    At once if the provider can be reached. Must be called outside a transaction.

    The payment is ``canceled`` when the provider has said so; until then it is what it was, and is not confirmed or
    captured any more.

    Raises:
        NotFoundError, ManagedPaymentError, InvalidStateError: It is not there, not ours to drive, or past canceling.
    """
    with database.use_case():
        locked, command = _get_for_update(operator, payment_id, operation_id)
        payment = locked.row
        if command is None:
            _refuse_unless(payment, _CANCELABLE, PaymentStatus.CANCELED)
            command = _find_open(payment, CommandKind.CANCEL) or _new(locked, CommandKind.CANCEL, operation_id, actor)
    claimed = commands.claim(command_id=command.pk)
    done = execution.execute_claimed(claimed) if claimed is not None else None
    return done.result.payment if done is not None else Payment.objects.get(pk=payment.pk)


def _create(client: ApiClient, actor: str, payment_id: UUID, request: Request) -> Command:
    with database.use_case():
        found = clocked(accounts.of_operator(client.operator_id)).first()
        if found is None:
            raise NoAccountError
        read = AsOf.of(found)
        account, now = read.row, read.at
        limits.check_capture_method(provider=account.provider, wanted=request.capture_method)
        limits.check_amount(provider=account.provider, amount=request.amount, currency=request.currency)
        payment = Payment(
            id=payment_id,
            operator=client.operator,
            provider=account.provider,
            provider_account=account.reference,
            amount=request.amount,
            currency=request.currency,
            capture_method=request.capture_method,
            customer_id=request.customer_id,
            payment_method_id=request.payment_method_id,
            metadata=dict(request.metadata),
            status=PaymentStatus.REQUIRES_CONFIRMATION,
            created_at=now,
            changed_at=now,
            changed_by=actor,
            changed_because="create",
        )
        kind, beginning = CommandKind.CREATE, parameters.Beginning(payer={"reference": request.customer_id})
        command = commands.new(
            payment=payment, kind=kind, requested_by=actor, reason=kind, now=now, beginning=beginning
        )
        database.insert_together(payment, commands.claimed(command, now=now))
    return command


def _claim_creation(payment_id: UUID) -> Command | None:
    """Claim the command that an earlier run stored, unless what came of it is known or somebody is at it."""
    begun = Command.objects.filter(payment=payment_id, kind=CommandKind.CREATE, status__in=sorted(COMMAND_OPEN)).first()
    return commands.claim(command_id=begun.pk) if begun is not None else None


def _get_for_update(operator: Operator, payment_id: UUID, operation_id: UUID) -> tuple[Locked[Payment], Command | None]:
    """Lock a payment of the payments API, and find the command of an earlier run of this operation."""
    locked = locks.find_payment_for_update(pk=payment_id, operator=operator.pk)
    if locked is None:
        raise NotFoundError(kind="payment intent")
    if locked.row.managed_by:
        raise ManagedPaymentError(by=locked.row.managed_by)
    return locked, locked.row.commands.filter(pk=operation_id).first()


def _refuse_unless(payment: Payment, allowed: tuple[PaymentStatus, ...], wanted: PaymentStatus) -> None:
    if payment.status not in allowed:
        raise InvalidStateError(kind="payment", status=payment.status, wanted=wanted)


def _ask(locked: Locked[Payment], kind: CommandKind, operation_id: UUID, actor: str, *, amount: int) -> None:
    """Move on to ``processing``, store the command, and have a worker send it."""
    payment = locked.row
    payment.move(PaymentStatus.PROCESSING, at=locked.at, by=actor, because=f"{kind} requested")
    database.update_together((payment, (*CHANGED_FIELDS, "payment_method_id")))
    command = _new(locked, kind, operation_id, actor, amount=amount)
    execution.queue(command_id=command.pk)


def _new(
    locked: Locked[Payment], kind: CommandKind, operation_id: UUID, actor: str, *, amount: int | None = None
) -> Command:
    command = commands.new(
        payment=locked.row,
        kind=kind,
        requested_by=actor,
        reason=kind,
        now=locked.at,
        command_id=operation_id,
        amount=amount,
    )
    database.insert_together(command)
    return command


def _find_open(payment: Payment, kind: CommandKind) -> Command | None:
    return payment.commands.filter(kind=kind, status__in=sorted(COMMAND_OPEN)).first()
