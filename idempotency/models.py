"""One row for each Idempotency-Key of an API client."""

from typing import ClassVar

from django.db import models

from common import ids
from tenants.models import ApiClient


class IdempotencyKey(models.Model):
    """The first request of a key, and its answer."""

    api_client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=8)
    path = models.TextField()
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    operation_id = models.UUIDField(
        default=ids.new_id, unique=True, help_text="The id of what the request makes, so that a retry finds it."
    )
    claim_id = models.UUIDField(default=ids.new_id, help_text="The run that may write the answer.")
    leased_until = models.DateTimeField(help_text="Until then the run is taken to be alive.")
    leased_by = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="The process that runs it, by host, boot, pid."
    )
    status_code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: not answered yet.")
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["api_client", "key"], name="idempotency_key_once")]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.key})"
