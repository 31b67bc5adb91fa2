"""What changes the money of a reservation: adjustments, and receipts into tills."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from booking.models.changes import Change
from booking.models.reservation import Reservation
from booking.models.sold import Unit
from booking.states import AdjustmentKind, ReceiptMethod
from common import currencies, ids
from payments.models import Refund
from tenants.models import Operator, currency_code


class Adjustment(models.Model):
    """Append-only: a change of the price, or only of the debt.

    With who made it, and why.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="adjustments")
    kind = models.CharField(max_length=20, choices=AdjustmentKind.choices)
    amount = models.BigIntegerField(help_text="Added to what is owed; less than nothing lowers it.")
    name = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="What it is, as the guest reads it."
    )
    withdraws = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="withdrawn_by",
        help_text="The adjustment that it takes back.",
    )  # fmt: skip
    unit = models.OneToOneField(
        Unit, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="The place given back."
    )
    refund = models.ForeignKey(
        Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The refund that it is of.",
    )  # fmt: skip
    change = models.OneToOneField(
        Change, on_delete=models.PROTECT, null=True, blank=True, related_name="adjustment",
        help_text="The change that it is of.",
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
                condition=Q(kind__in=(AdjustmentKind.EXTRA, AdjustmentKind.FEE), amount__gt=0)
                | Q(kind=AdjustmentKind.REVERSAL, amount__gt=0, refund__isnull=False)
                | Q(kind=AdjustmentKind.WITHDRAWAL, withdraws__isnull=False)
                | Q(kind=AdjustmentKind.CHANGE, change__isnull=False)
                | Q(kind=AdjustmentKind.UNIT, amount__lte=0, unit__isnull=False)
                | Q(kind__in=(AdjustmentKind.DISCOUNT, AdjustmentKind.GOODWILL, AdjustmentKind.END), amount__lte=0),
                name="adjustment_lowers_or_raises",
            ),
        ]

    def __str__(self) -> str:
        money = currencies.shown(self.amount, self.reservation.currency)
        return f"{self.name or self.get_kind_display()}: {money}"


class Till(models.Model):
    """Where cash is kept from an opening to a count."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="tills")
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, validators=[currency_code])
    amount_opened = models.BigIntegerField(default=0, help_text="In it at first.")
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=200)
    amount_expected = models.BigIntegerField(null=True, blank=True, help_text="By its receipts, when it was counted.")
    amount_counted = models.BigIntegerField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=200, blank=True)
    closed_because = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["operator", "name"], condition=Q(closed_at__isnull=True), name="till_open_once"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, amount_expected__isnull=True, amount_counted__isnull=True)
                | Q(closed_at__isnull=False, amount_expected__isnull=False, amount_counted__isnull=False),
                name="till_closed_is_counted",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def difference(self) -> int | None:
        """What was counted less what was expected; None while it is open."""
        if self.amount_counted is None or self.amount_expected is None:
            return None
        return self.amount_counted - self.amount_expected

    def close(self, *, counted: int, expected: int, at: datetime, by: str, because: str) -> None:
        """Close it with what was counted, in memory."""
        self.amount_counted, self.amount_expected = counted, expected
        self.closed_at, self.closed_by, self.closed_because = at, by, because


class Receipt(models.Model):
    """Append-only: money that no provider took, by a person or a key.

    Less than nothing gives back, or puts right. It counts when it is approved: at once, or by a second person.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="receipts")
    method = models.CharField(max_length=12, choices=ReceiptMethod.choices)
    amount = models.BigIntegerField()
    till = models.ForeignKey(Till, on_delete=models.PROTECT, null=True, blank=True, related_name="receipts")
    reference = models.CharField(max_length=200, blank=True, help_text="Such as the number of a terminal's slip.")
    corrects = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="corrected_by",
        help_text="The receipt that it takes back.",
    )  # fmt: skip
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    approved_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it waits for a second person.")
    approved_by = models.CharField(max_length=200, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True, help_text="A second person did not approve it.")

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(method__in=ReceiptMethod.values), name="receipt_method_known"),
            models.CheckConstraint(condition=~Q(amount=0), name="receipt_of_something"),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True) | Q(declined_at__isnull=True), name="receipt_decided_once"
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True) | Q(approved_at=F("at")) | ~Q(approved_by=F("actor")),
                name="receipt_approved_by_another",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["reservation"],
                condition=Q(approved_at__isnull=True, declined_at__isnull=True),
                name="receipt_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()} {currencies.shown(self.amount, self.reservation.currency)}"
