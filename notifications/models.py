"""The outbox of mails: one row for each, sent once."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from booking.models import Reservation
from common import ids
from common.outbox import OutboxRow
from payments.models import Payment
from tenants.models import Language, Operator


class MailKind(models.TextChoices):
    """What a mail tells."""

    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CANCELLED_HELD = "cancelled_held"
    CANCELLED_REFUND = "cancelled_refund"
    CANCELLED_KEPT = "cancelled_kept"
    CONFIRMED = "confirmed"
    DUE = "due"
    OVERDUE = "overdue"
    MOVED = "moved"
    REFUNDED = "refunded"
    PART_RETURNED = "part_returned"
    LATE_SEATED = "late_seated"
    LATE_REFUNDED = "late_refunded"
    PERSON_NEEDED = "person_needed"
    DISPUTE = "dispute"


class MailStatus(models.TextChoices):
    """How far a mail has come."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


class Mail(OutboxRow):
    """A mail. ``cause`` is what it reports: one mail for each cause."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, null=True, blank=True, related_name="mails")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="mails")
    kind = models.CharField(max_length=16, choices=MailKind.choices)
    cause = models.CharField(max_length=64)
    to = ArrayField(models.EmailField())
    language = models.CharField(max_length=2, choices=Language.choices)
    facts = models.JSONField(default=dict, help_text="What it tells, as it was when it was written.")
    status = models.CharField(max_length=16, choices=MailStatus.choices, default=MailStatus.WAITING)
    round = models.PositiveSmallIntegerField(default=1, help_text="One more each time that a person has it sent again.")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cause"], name="mail_once_for_a_cause"),
            models.CheckConstraint(condition=Q(kind__in=MailKind.values), name="mail_kind_known"),
            models.CheckConstraint(
                condition=Q(status=MailStatus.SENT, sent_at__isnull=False) | ~Q(status=MailStatus.SENT),
                name="mail_sent_dated",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(status=MailStatus.WAITING), name="mail_due"),
            models.Index(fields=["operator", "-id"], name="mail_operator_newest"),
            models.Index(fields=["status", "-id"], condition=~Q(status=MailStatus.SENT), name="mail_not_sent"),
            models.Index(fields=["kind", "-id"], name="mail_kind_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} mail"

    RESULT_FIELDS = ("status", "sent_at", "next_attempt_at", "leased_until", "last_error")
    """Every field that :meth:`note_sent` and :meth:`note_failure` change."""

    def note_sent(self, *, at: datetime) -> None:
        """Note in memory that the mail server has taken it."""
        self.status = MailStatus.SENT
        self.sent_at = at
        self.next_attempt_at = self.leased_until = None
        self.last_error = ""

    def note_failure(self, *, error: str, again_at: datetime | None) -> None:
        """Record a failure and the next try (None: none), in memory."""
        self.last_error = error
        self.next_attempt_at, self.leased_until = again_at, None
        if again_at is None:
            self.status = MailStatus.GIVEN_UP

    def send_again(self) -> None:
        """Note in memory that a person wants it sent once more."""
        self.status = MailStatus.WAITING
        self.sent_at = None
        self.round += 1
