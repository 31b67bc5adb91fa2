"""The inbox: one row for each provider event, kept for good."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common import ids, retries
from payments.models import Payment


class EventStatus(models.TextChoices):
    """What came of an event."""

    APPLIED = "applied"
    IGNORED = "ignored"
    ORPHANED = "orphaned"
    FAILED = "failed"


class EventSource(models.TextChoices):
    """How we came to have an event."""

    WEBHOOK = "webhook"
    LOOKED_UP = "looked_up"
    RECOVERED = "recovered"
    ATTESTED = "attested"


OPEN = frozenset((EventStatus.ORPHANED, EventStatus.FAILED))
"""Not applied yet, and tried again."""

RESULT_FIELDS = ("payment", "status", "effect", "error", "attempts", "next_attempt_at", "processed_at")
"""What is written about an event after it was stored; the rest of it never changes."""

_FIRST_DELAY = timedelta(seconds=5)
_LONGEST_DELAY = timedelta(hours=1)


class Event(models.Model):
    """An authenticated event: the evidence for money (P3).

    What it says is never changed afterwards.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    provider = models.CharField(max_length=32)
    account = models.CharField(max_length=64, blank=True)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=100)
    object_ref = models.CharField(max_length=255, blank=True)
    live = models.BooleanField(null=True, help_text="Whether it is of real money. NULL: it cannot be read.")
    api_version = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=16, choices=EventSource.choices)
    endpoint = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="The account whose endpoint was called, or for which the provider was read. Empty: the platform's.",
    )
    proven_account = models.CharField(
        max_length=64, null=True, blank=True, help_text="The account that it was verified for. NULL: it never was."
    )
    secret_name = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="The name of the secret that verified it, or of the key that it was read with.",
    )
    payload = models.JSONField()
    problem = models.CharField(
        max_length=500, blank=True, default="", db_default="", help_text="Why it cannot be read; it proves nothing."
    )
    captured_amount = models.BigIntegerField(default=0, help_text="Money that this event proves to be captured.")
    captured_currency = models.CharField(max_length=3, blank=True)
    occurred_at = models.DateTimeField(null=True, help_text="By the provider's clock. NULL: it cannot be read.")
    received_at = models.DateTimeField()
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="events")
    status = models.CharField(max_length=16, choices=EventStatus.choices)
    effect = models.CharField(max_length=16, blank=True)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it is not tried again by itself.")
    processed_at = models.DateTimeField(null=True, blank=True)
    attested_by = models.CharField(max_length=200, blank=True, help_text="Who vouches for it, if it was never sent.")
    attested_because = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event_id", "provider", "account"], name="event_once"),
            models.CheckConstraint(condition=Q(status__in=EventStatus.values), name="event_status_known"),
            models.CheckConstraint(condition=Q(source__in=EventSource.values), name="event_source_known"),
            models.CheckConstraint(
                condition=~Q(source=EventSource.ATTESTED) | (~Q(attested_by="") & ~Q(attested_because="")),
                name="event_attested_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(status=EventStatus.APPLIED) | Q(problem="", live__isnull=False, occurred_at__isnull=False),
                name="event_applied_was_read",
            ),
            # An event whose proof was not kept (NULL) may be stored; it is never applied.
            models.CheckConstraint(
                condition=Q(proven_account=None)
                | (Q(proven_account=F("account"), endpoint__in=("", F("account"))) & ~Q(secret_name="")),
                name="event_proven_for_its_account",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(status__in=sorted(OPEN)), name="event_due"),
            models.Index(fields=["object_ref"], name="event_object"),
            models.Index(fields=["status", "-id"], condition=~Q(status=EventStatus.APPLIED), name="event_not_applied"),
            models.Index(
                fields=["source", "-id"], condition=~Q(source=EventSource.WEBHOOK), name="event_not_delivered"
            ),
            models.Index(fields=["occurred_at"], condition=Q(captured_amount__gt=0), name="event_captured"),
            models.Index(
                fields=["payment"],
                condition=Q(status=EventStatus.ORPHANED, payment__isnull=False),
                name="event_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"

    def settle(self, *, effect: str | None, at: datetime) -> None:
        """Record in memory an effect, or (None) that it is not ours."""
        self.status = EventStatus.IGNORED if effect is None else EventStatus.APPLIED
        self.effect = effect or ""
        self.error = ""
        self.processed_at = at
        self.next_attempt_at = None

    @property
    def has_no_tries_left(self) -> bool:
        """Whether it has been tried as often as one that fails is."""
        return self.attempts >= settings.EVENT_MAX_ATTEMPTS

    def give_up(self, *, error: str) -> None:
        """Record in memory that it cannot be read.

        No time will change that, and a person is told at once.
        """
        self.status = EventStatus.FAILED
        self.effect, self.error, self.processed_at = "", error, None
        self.next_attempt_at = None

    def keep(self, *, status: EventStatus, error: str, at: datetime) -> None:
        """Record a failure to apply, and the next try, in memory.

        There is none once its tries are over.
        """
        self.status = status
        self.effect, self.error, self.processed_at = "", error, None
        delay = retries.delay(self.attempts, first=_FIRST_DELAY, longest=_LONGEST_DELAY)
        self.next_attempt_at = None if self.has_no_tries_left else at + delay

    def wait(self, *, error: str, at: datetime, again: bool) -> None:
        """Record in memory that it waits for another event of its payment.

        No number of tries ends that.

        It is due when money of the payment is known; ``again``: also by itself, as long again as it has waited.
        """
        self.status = EventStatus.ORPHANED
        self.effect, self.error, self.processed_at = "", error, None
        waited = min(max(at - self.received_at, _FIRST_DELAY), _LONGEST_DELAY)
        self.next_attempt_at = at + waited if again else None
