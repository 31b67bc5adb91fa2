"""States of payments, commands and refunds, and their transitions.

The database repeats the tables as triggers.
"""

from collections.abc import Mapping
from types import MappingProxyType

from django.db import models


class PaymentStatus(models.TextChoices):
    """Where a payment stands."""

    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    ON_HOLD = "on_hold"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class CaptureMethod(models.TextChoices):
    """Whether the money is held first, or taken at once."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"


class CommandKind(models.TextChoices):
    """What can be asked of a provider."""

    CREATE = "create"
    CONFIRM = "confirm"
    AUTHORIZE = "authorize"
    CHARGE = "charge"
    CAPTURE = "capture"
    CANCEL = "cancel"
    REFUND = "refund"


class CommandStatus(models.TextChoices):
    """How far a command has come."""

    REQUESTED = "requested"
    SENT = "sent"
    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"


class RefundStatus(models.TextChoices):
    """Where a refund stands."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class LedgerKind(models.TextChoices):
    """What a line of a provider's ledger is of."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    FEE = "fee"
    PAYOUT = "payout"
    OTHER = "other"


class TransactionKind(models.TextChoices):
    """Which way money moves."""

    CHARGE = "charge"
    REFUND = "refund"


class TransactionStatus(models.TextChoices):
    """What came of a movement of money, in a bank's words."""

    PENDING = "pending"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    STUCK = "stuck"
    REFUNDED = "refunded"


PAYMENT_FINAL = frozenset((PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.CANCELED))
PAYMENT_OVER_WITHOUT_MONEY = frozenset((PaymentStatus.FAILED, PaymentStatus.CANCELED))
"""Its money is not waited for any more; should it come, it is late."""
REFUND_OVER_WITHOUT_MONEY = frozenset((RefundStatus.FAILED, RefundStatus.CANCELED))
"""Its money did not reach the guest, and will not by this refund."""
COMMAND_OPEN = frozenset((CommandStatus.REQUESTED, CommandStatus.SENT, CommandStatus.UNKNOWN))

PAYMENT_TRANSITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        PaymentStatus.REQUIRES_CONFIRMATION: frozenset(PaymentStatus) - {PaymentStatus.REQUIRES_CONFIRMATION},
        PaymentStatus.REQUIRES_PAYMENT_METHOD: frozenset(
            (PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_ACTION, PaymentStatus.ON_HOLD)
        )
        | PAYMENT_FINAL,
        PaymentStatus.PROCESSING: frozenset(
            (PaymentStatus.REQUIRES_PAYMENT_METHOD, PaymentStatus.REQUIRES_ACTION, PaymentStatus.ON_HOLD)
        )
        | PAYMENT_FINAL,
        PaymentStatus.REQUIRES_ACTION: frozenset(
            (PaymentStatus.REQUIRES_PAYMENT_METHOD, PaymentStatus.PROCESSING, PaymentStatus.ON_HOLD)
        )
        | PAYMENT_FINAL,
        PaymentStatus.ON_HOLD: frozenset((PaymentStatus.PROCESSING,)) | PAYMENT_FINAL,
        PaymentStatus.SUCCEEDED: frozenset(),
        PaymentStatus.FAILED: frozenset(),
        PaymentStatus.CANCELED: frozenset(),
    }
)

PAYMENT_ORDER = (
    PaymentStatus.REQUIRES_CONFIRMATION,
    PaymentStatus.PROCESSING,
    PaymentStatus.REQUIRES_ACTION,
    PaymentStatus.REQUIRES_PAYMENT_METHOD,
)
"""Which of two steps of one second counts: times of events are whole seconds, and the guest must be able to go on."""

COMMAND_TRANSITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        CommandStatus.REQUESTED: frozenset((CommandStatus.SENT, CommandStatus.DONE)),
        CommandStatus.SENT: frozenset((CommandStatus.UNKNOWN, CommandStatus.DONE, CommandStatus.REFUSED)),
        CommandStatus.UNKNOWN: frozenset((CommandStatus.SENT, CommandStatus.DONE, CommandStatus.REFUSED)),
        CommandStatus.DONE: frozenset(),
        CommandStatus.REFUSED: frozenset(),
    }
)

REFUND_TRANSITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        RefundStatus.PENDING: frozenset((RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.CANCELED)),
        RefundStatus.SUCCEEDED: frozenset((RefundStatus.FAILED,)),  # a bank can send it back days later
        RefundStatus.FAILED: frozenset(),
        RefundStatus.CANCELED: frozenset(),
    }
)
