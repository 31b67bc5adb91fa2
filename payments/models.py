"""Payments, their history, the commands that we give to a provider, and refunds."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from common import ids
from common.states import InvalidStateError
from payments.states import (
    COMMAND_OPEN,
    COMMAND_TRANSITIONS,
    PAYMENT_FINAL,
    PAYMENT_TRANSITIONS,
    REFUND_TRANSITIONS,
    CaptureMethod,
    CommandKind,
    CommandStatus,
    PaymentStatus,
    RefundStatus,
)
from tenants.models import Operator


class Payment(models.Model):
    """Money from one customer through one provider. Amounts are in the currency's minor unit."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=32)
    provider_account = models.CharField(max_length=64, blank=True, help_text="Empty: the platform's own account.")
    provider_ref = models.CharField(max_length=255, blank=True, help_text="The provider's id, such as pi_…")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    capture_method = models.CharField(max_length=16, choices=CaptureMethod.choices)
    payment_method_id = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=32, choices=PaymentStatus.choices)
    client_secret = models.CharField(max_length=255, blank=True)
    next_action = models.JSONField(null=True, blank=True)
    failure_code = models.CharField(max_length=100, blank=True)
    failure_message = models.TextField(blank=True)
    amount_captured = models.BigIntegerField(default=0)
    amount_refunding = models.BigIntegerField(default=0, help_text="Asked for, and not settled yet.")
    amount_refunded = models.BigIntegerField(default=0)
    held_at = models.DateTimeField(null=True, blank=True)
    capture_before = models.DateTimeField(null=True, blank=True, help_text="The provider voids the hold then.")
    captured_event_id = models.UUIDField(
        null=True, blank=True, help_text="The authenticated event that is the evidence for the captured money."
    )
    stuck_at = models.DateTimeField(null=True, blank=True, help_text="Since then a person is needed.")
    stuck_because = models.TextField(blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200)
    changed_because = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "provider_account", "provider_ref"],
                condition=~Q(provider_ref=""),
                name="payment_provider_ref_once",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=Q(amount_captured__gte=0) & Q(amount_captured__lte=F("amount")),
                name="payment_captured_in_amount",
            ),
            models.CheckConstraint(
                condition=Q(amount_refunded__gte=0)
                & Q(amount_refunding__gte=0)
                & Q(amount_captured__gte=F("amount_refunded") + F("amount_refunding")),
                name="payment_refunds_in_captured",
            ),
            models.CheckConstraint(
                condition=Q(captured_event_id__isnull=False)
                | (Q(amount_captured=0) & ~Q(status=PaymentStatus.SUCCEEDED)),
                name="payment_captured_has_event",
            ),
            models.CheckConstraint(
                condition=~Q(status=PaymentStatus.SUCCEEDED) | Q(amount_captured__gt=0),
                name="payment_succeeded_has_money",
            ),
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="payment_status_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["operator", "-id"], name="payment_operator_newest"),
            models.Index(
                fields=["changed_at"], condition=~Q(status__in=sorted(PAYMENT_FINAL)), name="payment_not_final_age"
            ),
            models.Index(fields=["stuck_at"], condition=Q(stuck_at__isnull=False), name="payment_stuck"),
        ]

    def __str__(self) -> str:
        return self.provider_ref or str(self.id)

    @property
    def is_final(self) -> bool:
        """Whether the provider can say nothing more about the payment itself."""
        return self.status in PAYMENT_FINAL

    def move(self, to: PaymentStatus, *, at: datetime, by: str, because: str) -> None:
        """Change the status in memory; the one setter of it.

        Raises:
            InvalidStateError: The transition table does not allow it.
        """
        if to not in PAYMENT_TRANSITIONS[self.status]:
            raise InvalidStateError(kind="payment", status=self.status, wanted=to)
        self.status = to
        self.changed_at, self.changed_by, self.changed_because = at, by, because

    def flag_stuck(self, *, at: datetime, because: str) -> None:
        """Ask for a person: the outcome could not be found out, or contradicts what we know."""
        self.stuck_at = self.stuck_at or at
        self.stuck_because = because


class PaymentHistory(models.Model):
    """Append-only: every change of a payment's status. Written by a trigger, so that no code path can forget it."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="history")
    at = models.DateTimeField()
    from_status = models.CharField(max_length=32, blank=True)
    to_status = models.CharField(max_length=32)
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name_plural = "payment history"

    def __str__(self) -> str:
        return f"{self.from_status or '—'} → {self.to_status}"


class Refund(models.Model):
    """Money on its way back. What it takes is reserved on the payment when it is asked for."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, choices=RefundStatus.choices, default=RefundStatus.PENDING)
    provider_ref = models.CharField(max_length=255, blank=True)
    failure_code = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    requested_by = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(condition=Q(status__in=RefundStatus.values), name="refund_status_known"),
            models.UniqueConstraint(
                fields=["payment", "provider_ref"], condition=~Q(provider_ref=""), name="refund_provider_ref_once"
            ),
        ]

    def __str__(self) -> str:
        return self.provider_ref or str(self.id)

    def move(self, to: RefundStatus, *, at: datetime) -> None:
        """Change the status in memory; the one setter of it.

        Raises:
            InvalidStateError: The transition table does not allow it.
        """
        if to not in REFUND_TRANSITIONS[self.status]:
            raise InvalidStateError(kind="refund", status=self.status, wanted=to)
        self.status = to
        self.changed_at = at


class Command(models.Model):
    """Something that we ask of a provider: stored before it is sent, sent again with the same key until it is known."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="commands")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="commands")
    kind = models.CharField(max_length=16, choices=CommandKind.choices)
    amount = models.BigIntegerField()
    parameters = models.JSONField(default=dict, help_text="What is sent, frozen before the first call.")
    status = models.CharField(max_length=16, choices=CommandStatus.choices, default=CommandStatus.REQUESTED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, help_text="Empty: nobody will try it again.")
    leased_until = models.DateTimeField(null=True, blank=True, help_text="Until then a sender is taken to be alive.")
    last_error = models.TextField(blank=True)
    provider_request_id = models.CharField(max_length=255, blank=True)
    requested_by = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField()
    first_sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["payment", "kind"],
                condition=Q(status__in=sorted(COMMAND_OPEN)) & ~Q(kind=CommandKind.REFUND),
                name="command_open_once_per_kind",
            ),
            models.CheckConstraint(condition=Q(status__in=CommandStatus.values), name="command_status_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="command_amount_positive"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(status__in=sorted(COMMAND_OPEN)), name="command_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def idempotency_key(self) -> str:
        """The key that every attempt sends: one operation, one key (P5)."""
        return idempotency_key(self.id)

    @property
    def is_open(self) -> bool:
        """Whether its outcome is not known yet."""
        return self.status in COMMAND_OPEN

    def move(self, to: CommandStatus) -> None:
        """Change the status in memory; the one setter of it.

        Raises:
            InvalidStateError: The transition table does not allow it.
        """
        if to not in COMMAND_TRANSITIONS[self.status]:
            raise InvalidStateError(kind="command", status=self.status, wanted=to)
        self.status = to


def idempotency_key(command_id: UUID) -> str:
    """Spell the key of a command as the provider gets it."""
    return str(command_id)
