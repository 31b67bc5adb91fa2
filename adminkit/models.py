"""Rows kept for people of the backoffice: bulk runs and saved views."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from common import ids
from tenants.models import User


class BulkRun(models.Model):
    """An action on many rows, done in the background.

    A row is counted in ``begun`` before anything is done to it: a process that dies may leave one row that nobody
    knows whether it was done (it is told so), and never does one twice.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    model = models.CharField(max_length=100)
    action = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    reason = models.TextField()
    given = models.TextField(blank=True, help_text="What the form was given, as it was posted.")
    rows = ArrayField(models.CharField(max_length=64))
    begun = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    refusals = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(done__lte=models.F("begun")), name="bulk_run_done_was_begun")
        ]
        indexes: ClassVar = [
            models.Index(fields=["leased_until"], condition=models.Q(finished_at=None), name="bulk_run_unfinished")
        ]

    def __str__(self) -> str:
        return f"{self.title}: {len(self.rows)} rows"


class SavedView(models.Model):
    """A person's saved list: name, filters, search and order."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    model = models.CharField(max_length=100)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "model", "name"], name="saved_view_named_once")
        ]

    def __str__(self) -> str:
        return self.name
