"""Refunds: money that we give back, with their history."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids, states
from payments.models.payment import Payment
from payments.states import REFUND_TRANSITIONS, RefundStatus
from tenants.models import Operator


class Refund(models.Model):
    """Money on its way back, reserved on the payment at the request."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, choices=RefundStatus.choices, default=RefundStatus.PENDING)
    provider_ref = models.CharField(max_length=255, blank=True)
    failure_code = models.CharField(max_length=100, blank=True, help_text="Of one on its way: why it hangs.")
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by",
        help_text="The refund that failed, in whose place this one was asked for.",
    )  # fmt: skip
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    requested_by = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(condition=Q(status__in=RefundStatus.values), name="refund_status_known"),
            models.UniqueConstraint(
                fields=["provider_ref", "payment"], condition=~Q(provider_ref=""), name="refund_provider_ref_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["operator", "-id"], name="refund_operator_newest"),
            models.Index(fields=["status", "-id"], name="refund_status_newest"),
            models.Index(fields=["changed_at"], name="refund_changed"),
        ]

    def __str__(self) -> str:
        return self.provider_ref or str(self.id)

    def move(self, to: RefundStatus, *, at: datetime) -> None:
        """Change the status in memory; the one setter of it.

        Raises:
            InvalidStateError: The transition table does not allow it.
        """
        states.check(REFUND_TRANSITIONS, kind="refund", status=self.status, wanted=to)
        self.status = to
        self.changed_at = at


class RefundHistory(models.Model):
    """Append-only: every change of a refund's status.

    A trigger writes it, so that no code path can forget it.
    """

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="history")
    at = models.DateTimeField()
    from_status = models.CharField(max_length=16, blank=True)
    to_status = models.CharField(max_length=16)
    amount = models.BigIntegerField()
    failure_code = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name_plural = "refund history"

    def __str__(self) -> str:
        return f"{self.from_status or '—'} → {self.to_status}"
