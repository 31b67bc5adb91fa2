"""A payment, and the history of its states."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from common import ids, states
from payments.states import (
    COMMAND_OPEN,
    PAYMENT_FINAL,
    PAYMENT_OVER_WITHOUT_MONEY,
    PAYMENT_TRANSITIONS,
    CaptureMethod,
    PaymentStatus,
)
from tenants.models import Operator

GIVEN_UP = Q(status__in=sorted(COMMAND_OPEN), next_attempt_at=None)
"""Matches commands of unknown outcome that nobody will send any more."""


class Payment(models.Model):
    """Money from one customer through one provider, in minor units."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    provider = models.CharField(max_length=32)
    provider_account = models.CharField(max_length=64, blank=True, help_text="Empty: the platform's own account.")
    provider_ref = models.CharField(max_length=255, blank=True, help_text="The provider's id, such as pi_…")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    capture_method = models.CharField(max_length=16, choices=CaptureMethod.choices)
    payment_method_id = models.CharField(max_length=255, blank=True)
    customer_id = models.CharField(max_length=255, blank=True, help_text="The caller's own name for who pays.")
    metadata = models.JSONField(default=dict, blank=True)
    managed_by = models.CharField(
        max_length=32, blank=True, help_text="What drives it, such as reservation. Empty: the payments API itself."
    )
    managed_id = models.UUIDField(
        null=True, blank=True, editable=False,
        help_text="The row that drives it; no foreign key, since payments knows nothing of what is above it.",
    )  # fmt: skip
    managed_part = models.UUIDField(
        null=True, blank=True, editable=False, help_text="The part of that row that it pays, such as one change of it."
    )
    status = models.CharField(max_length=32, choices=PaymentStatus.choices)
    client_secret = models.CharField(max_length=255, blank=True)
    next_action = models.JSONField(null=True, blank=True)
    failure_code = models.CharField(max_length=100, blank=True)
    failure_message = models.TextField(blank=True)
    amount_captured = models.BigIntegerField(default=0)
    amount_refunding = models.BigIntegerField(default=0, help_text="Asked for, and not settled yet.")
    amount_refunded = models.BigIntegerField(default=0)
    auth_code = models.CharField(max_length=64, blank=True, help_text="The bank's word for its yes.")
    receipt_url = models.URLField(max_length=1000, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    capture_before = models.DateTimeField(null=True, blank=True, help_text="The provider voids the hold then.")
    captured_event_id = models.UUIDField(
        null=True, blank=True, help_text="The authenticated event that is the evidence for the captured money."
    )
    stuck_at = models.DateTimeField(null=True, blank=True, help_text="Since then a person is needed.")
    stuck_because = models.TextField(blank=True)
    next_check_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="The provider is asked how it stands RECONCILE_AFTER_SECONDS after this. Empty: nothing is open.",
    )
    as_of = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When it came to stand so: the provider's time, if it says one.",
    )
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200)
    changed_because = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider_ref", "provider", "provider_account"],
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
            models.CheckConstraint(
                condition=Q(managed_by="", managed_id=None) | (~Q(managed_by="") & Q(managed_id__isnull=False)),
                name="payment_managed_by_a_row",
            ),
            models.CheckConstraint(
                condition=Q(managed_part__isnull=True) | Q(managed_id__isnull=False), name="payment_part_of_a_row"
            ),
            models.UniqueConstraint(
                Coalesce("managed_part", "managed_id"),
                condition=Q(managed_id__isnull=False) & ~Q(status__in=sorted(PAYMENT_FINAL)),
                name="payment_live_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["operator", "-id"], name="payment_operator_newest"),
            models.Index(fields=["status", "-id"], name="payment_status_newest"),
            models.Index(fields=["next_check_at"], condition=Q(next_check_at__isnull=False), name="payment_to_check"),
            models.Index(fields=["managed_id"], condition=Q(managed_id__isnull=False), name="payment_managed"),
            models.Index(fields=["stuck_at"], condition=Q(stuck_at__isnull=False), name="payment_stuck"),
        ]

    def __str__(self) -> str:
        return self.provider_ref or str(self.id)

    @property
    def is_final(self) -> bool:
        """Whether the provider can say nothing more about the payment itself."""
        return self.status in PAYMENT_FINAL

    @property
    def is_late(self) -> bool:
        """Whether its money came after it was over."""
        return self.status in PAYMENT_OVER_WITHOUT_MONEY and self.amount_captured > 0

    @property
    def amount_refundable(self) -> int:
        """What is left of the captured money, in minor units."""
        return self.amount_captured - self.amount_refunded - self.amount_refunding

    @property
    def is_disputed(self) -> bool:
        """Whether a dispute bars refunds of it. One query."""
        return any(dispute.bars_refunds for dispute in self.disputes.all())

    def move(self, to: PaymentStatus, *, at: datetime, by: str, because: str) -> None:
        """Change the status in memory; the one setter of it.

        Raises:
            InvalidStateError: The transition table does not allow it.
        """
        states.check(PAYMENT_TRANSITIONS, kind="payment", status=self.status, wanted=to)
        self.status = to
        self.as_of = at
        self.changed_at, self.changed_by, self.changed_because = at, by, because

    def flag_stuck(self, *, at: datetime, because: str) -> None:
        """Flag for a person: the outcome is unknown, or contradicts ours."""
        self.stuck_at = self.stuck_at or at
        self.stuck_because = because

    def unflag(self) -> bool:
        """Clear the stuck flag, unless an abandoned command's outcome is unknown.

        Returns whether it was cleared.

        The next check sends such a command again; of a final payment, only the flag makes a check due.
        The payment must be locked.
        """
        if self.stuck_at is None or self.commands.filter(GIVEN_UP).exists():
            return False
        self.stuck_at, self.stuck_because = None, ""
        return True


class PaymentHistory(models.Model):
    """Append-only: every change of a payment's status.

    A trigger writes it, so that no code path can forget it.
    """

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
