"""The call rate of the background, one row for each account."""

from typing import ClassVar

from django.db import models


class ProviderThrottle(models.Model):
    """The calls of this minute to an account, and any pause."""

    provider = models.CharField(max_length=32)
    account = models.CharField(max_length=64, blank=True)
    minute = models.DateTimeField()
    calls = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0, help_text="Calls in a row that brought no answer.")
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_because = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["provider", "account"], name="provider_throttle_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.account}".strip()
