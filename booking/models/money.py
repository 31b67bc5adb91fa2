"""What changes the money that a reservation owes."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from booking.models.reservation import Reservation
from booking.states import AdjustmentKind
from common import currencies, ids
from payments.models import Refund


class Adjustment(models.Model):
    """Append-only: a change of what is owed, by whom and why."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="adjustments")
    kind = models.CharField(max_length=20, choices=AdjustmentKind.choices)
    amount = models.BigIntegerField(help_text="Added to what is owed; less than nothing lowers it.")
    refund = models.ForeignKey(
        Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The refund that it is of.",
    )  # fmt: skip
    keeps_places = models.BooleanField(default=False, help_text="The guest keeps the places when all money is back.")
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["refund", "kind"], condition=Q(refund__isnull=False), name="adjustment_of_refund_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=AdjustmentKind.values), name="adjustment_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=AdjustmentKind.REVERSAL, amount__gt=0, refund__isnull=False)
                | (~Q(kind=AdjustmentKind.REVERSAL) & Q(amount__lte=0)),
                name="adjustment_lowers_or_reverses",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {currencies.shown(self.amount, self.reservation.currency)}"
