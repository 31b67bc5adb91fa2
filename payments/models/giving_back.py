"""Money on its way back: by our refunds, or taken by the customer's bank."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids, states
from payments.models.payment import Payment
from payments.states import REFUND_TRANSITIONS, RefundStatus
from tenants.models import Operator


class Refund(models.Model):
    """Money on its way back. What it takes is reserved on the payment when it is asked for."""

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
    """Append-only: every change of a refund's status. Written by a trigger, so that no code path can forget it."""

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


class Dispute(models.Model):
    """A chargeback: the customer's bank takes the money back, unless we show that it was owed. Not a refund of ours."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    provider_ref = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=64, help_text="The provider's own word, since its list is open.")
    is_closed = models.BooleanField(default=False)
    respond_by = models.DateTimeField(null=True, blank=True)
    as_of = models.DateTimeField(help_text="The time of the event that said so; an older one changes nothing.")
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider_ref", "payment"], name="dispute_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="dispute_amount_not_negative"),
        ]
        indexes: ClassVar = [models.Index(fields=["operator", "-id"], name="dispute_operator_newest")]

    def __str__(self) -> str:
        return self.provider_ref

    @property
    def bars_refunds(self) -> bool:
        """Whether the bank has the money, or decides about it: an inquiry bars nothing, nor does what is won."""
        return self.status == "lost" or not (self.is_closed or self.status.startswith("warning"))

    def update(self, *, status: str, is_closed: bool, respond_by: datetime | None, as_of: datetime) -> bool:
        """Take over what an event says, in memory; False if it is older than what is known.

        Times of events are whole seconds: of two in the same one, that which closes it came last.
        """
        if (as_of, is_closed) < (self.as_of, self.is_closed):
            return False
        self.status, self.is_closed, self.respond_by, self.as_of = status, is_closed, respond_by, as_of
        return True
