"""Status checks of payments whose outcome is not known."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from payments.models.payment import Payment


class CheckResult(models.TextChoices):
    """The result of a status check."""

    RUNNING = "running"
    IN_STEP = "in_step"
    APPLIED = "applied"
    RECOVERED = "recovered"
    RELEASED = "released"
    FAILED = "failed"


class CheckAttempt(models.Model):
    """A status check, stored before the provider is asked.

    So a death leaves a trace. Numbered from 1.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="check_attempts", db_index=False)
    number = models.PositiveIntegerField()
    failures = models.PositiveIntegerField(default=0, help_text="How many have failed in a row, with this one.")
    result = models.CharField(max_length=16, choices=CheckResult.choices, default=CheckResult.RUNNING)
    provider_status = models.CharField(max_length=64, blank=True, help_text="What the provider said of the payment.")
    done = models.TextField(blank=True, help_text="What was done about it.")
    error = models.TextField(blank=True)
    at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["payment", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payment", "number"], name="check_attempt_numbered_once"),
            models.CheckConstraint(condition=Q(result__in=CheckResult.values), name="check_attempt_result_known"),
        ]

    def __str__(self) -> str:
        return f"check {self.number} at {self.payment}"
