"""Disputes: money that a customer's bank takes back."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from payments.models.payment import Payment
from tenants.models import Operator


class Dispute(models.Model):
    """A chargeback: the customer's bank takes the money back.

    Unless we show that it was owed. It is not a refund of ours.
    """

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
        """Whether the bank has the money, or decides about it.

        An inquiry bars no refund, nor does a dispute that is won.
        """
        return self.status == "lost" or not (self.is_closed or self.status.startswith("warning"))

    def update(self, *, status: str, is_closed: bool, respond_by: datetime | None, as_of: datetime) -> bool:
        """Apply an event in memory; False if it is old.

        Old is what happened before the latest event that is known.

        Times of events are whole seconds: of two in the same one, that which closes it came last.
        """
        if (as_of, is_closed) < (self.as_of, self.is_closed):
            return False
        self.status, self.is_closed, self.respond_by, self.as_of = status, is_closed, respond_by, as_of
        return True
