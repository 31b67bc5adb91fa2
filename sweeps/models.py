"""The last run of each sweep and its result.

Readiness and the backoffice read it.
"""

from typing import ClassVar

from django.db import models


class SweepRun(models.Model):
    """The last run of a sweep; one row for each."""

    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    handled = models.PositiveIntegerField(default=0, help_text="How many rows the last finished run dealt with.")
    error = models.TextField(blank=True, help_text="Of the last run; empty: it went well.")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
