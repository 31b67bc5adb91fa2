"""What the reconciliation did about a payment whose outcome is not known, try by try."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from payments.models.payment import Payment


class AttemptResult(models.TextChoices):
    """What a look at the provider came to."""

    RUNNING = "running"
    IN_STEP = "in_step"
    APPLIED = "applied"
    RECOVERED = "recovered"
    RELEASED = "released"
    FAILED = "failed"


class Attempt(models.Model):
    """One look at the provider, stored before it is asked: whoever dies on it leaves a trace. Numbered from 1 on."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    failures = models.PositiveIntegerField(default=0, help_text="How many have failed in a row, with this one.")
    result = models.CharField(max_length=16, choices=AttemptResult.choices, default=AttemptResult.RUNNING)
    provider_status = models.CharField(max_length=64, blank=True, help_text="What the provider said of the payment.")
    done = models.TextField(blank=True, help_text="What was done about it.")
    error = models.TextField(blank=True)
    at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["payment", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payment", "number"], name="attempt_numbered_once"),
            models.CheckConstraint(condition=Q(result__in=AttemptResult.values), name="attempt_result_known"),
        ]

    def __str__(self) -> str:
        return f"look {self.number} at {self.payment}"


class Pace(models.Model):
    """How fast the background may call an account of a provider: the calls of this minute, and any pause."""

    provider = models.CharField(max_length=32)
    account = models.CharField(max_length=64, blank=True)
    minute = models.DateTimeField()
    calls = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0, help_text="Calls in a row that brought no answer.")
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_because = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["provider", "account"], name="pace_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.account}".strip()
