"""Rows of reconciliation: discrepancies, ledger, settlement runs, and watermarks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids, states
from payments.models import Payment
from payments.states import LedgerKind
from tenants.models import Operator


class DiscrepancyKind(models.TextChoices):
    """How the provider and we differ."""

    STUCK = "stuck", "stuck: the outcome could not be found out"
    STATUS = "status", "status: they have taken money that we have no evidence of"
    AMOUNT = "amount", "amount: theirs is not ours"
    CURRENCY = "currency", "currency: theirs is not ours"
    MISSING_HERE = "missing_here", "missing here: they know money that we do not"
    MISSING_THERE = "missing_there", "missing there: we know money that they do not"
    LATE = "late", "late: they took money after we had closed the payment"
    EVENT = "event", "event: one could not be applied"
    PARTIAL_CAPTURE = "partial_capture", "partial capture: they took a part of what was sold"
    REFUND_FAILED = "refund_failed", "refund failed: money that is owed to a guest has not reached them"
    PAYOUT = "payout", "payout: money of a guest is too much in hand, and no provider can give it back"
    FOREIGN_HOLD = "foreign_hold", "foreign hold: held there, and not of this installation"


class DiscrepancyStatus(models.TextChoices):
    """How far a person has come with it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


DISCREPANCY_TRANSITIONS: Mapping[str, frozenset[str]] = {
    DiscrepancyStatus.OPEN: frozenset((DiscrepancyStatus.ACKNOWLEDGED, DiscrepancyStatus.RESOLVED)),
    DiscrepancyStatus.ACKNOWLEDGED: frozenset((DiscrepancyStatus.RESOLVED,)),
    DiscrepancyStatus.RESOLVED: frozenset(),
}

ACCEPTED = "accepted"
"""The resolution of a difference that stays: the same one is not opened again."""
ASKED_AGAIN = "asked again"
OTHER_WAY = "done another way"
"""The resolutions of a refund that failed, by a person: a new one is on its way, or the money was given otherwise."""
SETTLED = "settled"
"""The resolution of what needs no person any more: the facts are equal now."""


class Discrepancy(models.Model):
    """A difference that needs a person; its evidence is never changed."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: not known whose."
    )
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="discrepancies")
    kind = models.CharField(max_length=16, choices=DiscrepancyKind.choices)
    provider = models.CharField(max_length=32)
    account = models.CharField(max_length=64, blank=True)
    subject = models.CharField(max_length=255, help_text="What it is about: the provider's id, or else ours.")
    summary = models.TextField()
    difference = models.JSONField(
        default=dict, help_text="The figures of both sides; tells one difference from another."
    )
    evidence = models.JSONField(default=dict, help_text="Both sides as they were, with the commands and the events.")
    status = models.CharField(
        max_length=16, choices=DiscrepancyStatus.choices, default=DiscrepancyStatus.OPEN, editable=False
    )
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=200)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    acknowledged_because = models.TextField(blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=200, blank=True)
    resolved_because = models.TextField(blank=True)
    resolution = models.CharField(max_length=32, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the mail to the staff was written.")

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "discrepancies"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "provider", "account", "subject"],
                condition=~Q(status=DiscrepancyStatus.RESOLVED),
                name="discrepancy_unresolved_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=DiscrepancyKind.values), name="discrepancy_kind_known"),
            models.CheckConstraint(
                condition=Q(status=DiscrepancyStatus.OPEN, acknowledged_at=None, resolved_at=None)
                | Q(status=DiscrepancyStatus.ACKNOWLEDGED, acknowledged_at__isnull=False, resolved_at=None)
                | Q(status=DiscrepancyStatus.RESOLVED, resolved_at__isnull=False),
                name="discrepancy_status_dated",
            ),
            models.CheckConstraint(
                condition=(Q(acknowledged_at=None) | (~Q(acknowledged_by="") & ~Q(acknowledged_because="")))
                & (Q(resolved_at=None) | (~Q(resolved_by="") & ~Q(resolved_because="") & ~Q(resolution=""))),
                name="discrepancy_change_is_explained",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["operator", "-id"], name="discrepancy_operator_newest"),
            models.Index(
                fields=["kind"], condition=~Q(status=DiscrepancyStatus.RESOLVED), name="discrepancy_unresolved"
            ),
            models.Index(fields=["opened_at"], condition=Q(told_at=None), name="discrepancy_untold"),
            models.Index(fields=["kind", "subject"], name="discrepancy_of_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    def acknowledge(self, *, at: datetime, by: str, because: str) -> None:
        """Note in memory that somebody is at it.

        Raises:
            InvalidStateError: Somebody is already, or it is resolved.
        """
        self._move(DiscrepancyStatus.ACKNOWLEDGED)
        self.acknowledged_at, self.acknowledged_by, self.acknowledged_because = at, by, because

    def resolve(self, *, at: datetime, by: str, because: str, resolution: str) -> None:
        """Note in memory that it is over, and by what.

        Raises:
            InvalidStateError: It is resolved already.
        """
        self._move(DiscrepancyStatus.RESOLVED)
        self.resolved_at, self.resolved_by, self.resolved_because = at, by, because
        self.resolution = resolution

    def _move(self, to: DiscrepancyStatus) -> None:
        states.check(DISCREPANCY_TRANSITIONS, kind="discrepancy", status=self.status, wanted=to)
        self.status = to


class LedgerEntry(models.Model):
    """A line of the provider's ledger; append-only but for its payout."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    provider = models.CharField(max_length=32)
    account = models.CharField(max_length=64, blank=True)
    ref = models.CharField(max_length=255)
    kind = models.CharField(max_length=16, choices=LedgerKind.choices)
    category = models.CharField(max_length=64, help_text="The provider's own word for it.")
    payment_ref = models.CharField(max_length=255, blank=True)
    amount = models.BigIntegerField()
    fee = models.BigIntegerField()
    net = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    moved = models.BigIntegerField(help_text="What the customer paid or (negative) got back, in moved_currency.")
    moved_currency = models.CharField(max_length=3)
    occurred_at = models.DateTimeField()
    payout_ref = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering: ClassVar = ["-occurred_at"]
        verbose_name_plural = "ledger entries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ref", "provider", "account"], name="ledger_entry_once"),
            models.CheckConstraint(condition=Q(kind__in=LedgerKind.values), name="ledger_entry_kind_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["provider", "account", "occurred_at"], name="ledger_entry_time"),
            models.Index(fields=["-occurred_at", "-id"], name="ledger_entry_newest"),
            models.Index(
                fields=["payment_ref", "provider", "account"], condition=~Q(payment_ref=""), name="ledger_entry_payment"
            ),
            models.Index(fields=["payout_ref"], condition=~Q(payout_ref=""), name="ledger_entry_payout"),
        ]

    def __str__(self) -> str:
        return self.ref


class SettlementStatus(models.TextChoices):
    """How far a settlement run has come."""

    READING = "reading"
    DONE = "done"


class SettlementRun(models.Model):
    """One comparison of a day and account; resumable."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    provider = models.CharField(max_length=32)
    account = models.CharField(max_length=64, blank=True)
    date = models.DateField(help_text="The day, in UTC.")
    status = models.CharField(max_length=16, choices=SettlementStatus.choices, default=SettlementStatus.READING)
    read_until = models.DateTimeField(help_text="The ledger is read up to here.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    payments = models.PositiveIntegerField(default=0, help_text="Payments compared.")
    payouts = models.PositiveIntegerField(default=0, help_text="Payouts compared.")
    differences = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=dict, help_text="By currency: captured, refunded, fees, net; here and there.")

    class Meta:
        ordering: ClassVar = ["-date", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "account", "date"],
                condition=Q(status=SettlementStatus.READING),
                name="settlement_run_going_on_once",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["provider", "account", "date"], name="settlement_run_day")]

    def __str__(self) -> str:
        return f"{self.provider} {self.account} {self.date}".replace("  ", " ")

    @property
    def is_of_whole_day(self) -> bool:
        """Whether the day was over when it was compared."""
        return self.finished_at is not None and self.finished_at.astimezone(UTC).date() > self.date

    def finish(self, *, at: datetime) -> None:
        """Note in memory that the day is compared."""
        self.status = SettlementStatus.DONE
        self.finished_at = at


class Watermark(models.Model):
    """How far a provider's list has been read."""

    name = models.CharField(max_length=32)
    provider = models.CharField(max_length=32)
    account = models.CharField(max_length=64, blank=True)
    read_until = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "provider", "account"], name="watermark_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.provider} {self.account}".strip()
