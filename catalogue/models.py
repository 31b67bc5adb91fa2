"""What is on sale: activities (the contract's activities), their rates and departures."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from catalogue import offer_history as offer_history  # its model is of this app, too
from common import ids
from tenants import clocks
from tenants.models import Operator, currency_code, time_zone_name


class Activity(models.Model):
    """Something on sale; an exclusive one serves one party at a time."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="activities")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    exclusive = models.BooleanField(default=False, help_text="One party has it for itself.")
    timezone = models.CharField(max_length=64, validators=[time_zone_name], help_text="For showing times.")
    currency = models.CharField(max_length=3, validators=[currency_code])
    is_active = models.BooleanField(default=True)
    terms = models.TextField(
        "cancellation terms", blank=True, default="", db_default="",
        help_text="A rule on each line, such as “until 48 h: keep 0 %”. Past the last one everything is kept. Empty: a "
        "guest cannot cancel what is sold.",
    )  # fmt: skip
    plan = models.CharField(
        "deposit", max_length=100, blank=True, default="", db_default="",
        help_text="Such as “30 %, balance 14 days before”. Empty: all is paid at once.",
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "activity"
        verbose_name_plural = "activities"

    def __str__(self) -> str:
        return self.name


class Rate(models.Model):
    """What one unit (adult, child, party) of an activity costs."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    activity = models.ForeignKey(Activity, on_delete=models.CASCADE, related_name="rates")
    unit = models.SlugField(max_length=40)
    name = models.CharField(max_length=100)
    amount = models.BigIntegerField(help_text="In the minor unit of the activity's currency: 2599 is 25.99 USD.")

    class Meta:
        ordering: ClassVar = ["-amount", "unit"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["activity", "unit"], name="rate_once_per_unit"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="rate_amount_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.activity})"


class Slot(models.Model):
    """A departure: an activity at a time, with a number of places."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="slots")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.PositiveIntegerField()
    reserved = models.PositiveIntegerField(default=0, editable=False)
    is_closed = models.BooleanField(default=False, help_text="Closed to new reservations; those it has stay.")
    sold_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a place was first taken; activity and time are fixed."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["starts_at", "id"]
        verbose_name = "departure"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(reserved__lte=F("capacity")), name="slot_not_oversold"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="slot_ends_after_start"),
            models.UniqueConstraint(
                fields=["activity", "starts_at"],
                name="slot_once_at_a_time",
                violation_error_message="This activity already has a departure at that time.",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["starts_at", "id"], name="slot_by_time"),
            models.Index(fields=["starts_at", "id"], condition=Q(is_closed=True), name="slot_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.activity} {clocks.when(self.starts_at, self.activity.timezone)}"

    @property
    def available(self) -> int:
        """Places that nobody holds."""
        return self.capacity - self.reserved

    def is_open(self, now: datetime) -> bool:
        """Whether it takes reservations: it is not closed and has not started."""
        return not self.is_closed and self.starts_at > now
