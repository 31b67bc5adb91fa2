"""Notices: notifications that only name an object.

It is looked up after they are stored.
"""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.outbox import OutboxRow
from webhooks.models.event import Event


class NoticeStatus(models.TextChoices):
    """How far a notice has come."""

    WAITING = "waiting"
    LOOKED_UP = "looked_up"
    GIVEN_UP = "given_up"


class Notice(OutboxRow):
    """A verified notification that names an object.

    It is evidence of nothing: what is looked up is.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    provider = models.CharField(max_length=32)
    account = models.CharField(max_length=64, blank=True, help_text="The account that it was verified for.")
    secret_name = models.CharField(max_length=120, help_text="The name of the secret that verified it.")
    delivery_id = models.CharField(max_length=255, blank=True, help_text="The provider's id of the delivery.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the body.")
    type = models.CharField(max_length=100, blank=True)
    lookup_ref = models.CharField(max_length=255, help_text="What to look up at the provider.")
    payload = models.JSONField()
    received_at = models.DateTimeField()
    deliveries = models.PositiveIntegerField(default=1, help_text="How often it came. Each time is one more look.")
    status = models.CharField(max_length=16, choices=NoticeStatus.choices, default=NoticeStatus.WAITING)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, blank=True, related_name="notices")
    looked_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "account", "delivery_id", "digest"], name="notice_once"),
            models.CheckConstraint(condition=Q(status__in=NoticeStatus.values), name="notice_status_known"),
            models.CheckConstraint(
                condition=~Q(status=NoticeStatus.LOOKED_UP) | Q(event__isnull=False, looked_up_at__isnull=False),
                name="notice_looked_up_has_event",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(status=NoticeStatus.WAITING), name="notice_due"),
            models.Index(fields=["status", "-id"], condition=~Q(status=NoticeStatus.LOOKED_UP), name="notice_not_done"),
            models.Index(fields=["lookup_ref"], name="notice_object"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.lookup_ref}".strip()

    RESULT_FIELDS = (
        "status", "event", "looked_up_at", "extra_attempts", "next_attempt_at", "leased_until", "last_error",
    )  # fmt: skip
    """Every field that :meth:`note_looked_up` and :meth:`note_failure` change."""

    def note_looked_up(self, event: Event, *, at: datetime) -> None:
        """Note in memory what the look has shown."""
        self.status = NoticeStatus.LOOKED_UP
        self.event, self.looked_up_at = event, at
        self.next_attempt_at = self.leased_until = None
        self.last_error = ""

    def look_again(self) -> None:
        """Note in memory that a person wants one more look."""
        self.status = NoticeStatus.WAITING

    def note_failure(self, *, error: str, again_at: datetime | None) -> None:
        """Record a failure and the next look (None: none), in memory."""
        self.last_error = error
        self.next_attempt_at, self.leased_until = again_at, None
        if again_at is None:
            self.status = NoticeStatus.GIVEN_UP
