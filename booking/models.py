"""What is sold to whom: reservations, their units and their history."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value

from booking.fields import MultirangeField, UuidRangeField
from booking.states import (
    ACTIVE,
    HOLDING,
    OWES_NOTHING,
    OWES_NOTHING_BY_STATUS,
    RESERVATION_TRANSITIONS,
    AdjustmentKind,
    ReservationStatus,
)
from catalogue.models import Activity, Slot
from common import currencies, ids, states
from payments.models import Payment, Refund
from tenants.models import ApiClient, Language, Operator


class Reservation(models.Model):
    """Places for one customer: what was sold, and its status.

    A snapshot; never deleted, only moved on.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    # Each of these two is the first column of an index below.
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    api_client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, null=True, related_name="+")
    reference = models.CharField(max_length=12, default=ids.new_reference, editable=False)
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="reservations")
    slot = models.ForeignKey(
        Slot, on_delete=models.PROTECT, null=True, blank=True, related_name="reservations", db_index=False
    )
    day = models.DateField(null=True, blank=True, help_text="The local day of a whole activity; empty: a departure.")
    starts_at = models.DateTimeField(help_text="As it was sold: of the departure, or of the day.")
    ends_at = models.DateTimeField()
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="reservation")
    status = models.CharField(max_length=20, choices=ReservationStatus.choices)
    exclusive = models.BooleanField(help_text="Whether the activity was exclusive when it was sold.")
    places = models.PositiveIntegerField()
    amount = models.BigIntegerField(help_text="What was sold.")
    amount_owed = models.BigIntegerField(help_text="All that has to be paid for it, by now.")
    amount_proven = models.BigIntegerField(
        default=0, help_text="What providers' events prove: captured less given back, of all its payments."
    )
    currency = models.CharField(max_length=3)
    customer_name = models.CharField(max_length=200)
    customer_email = models.EmailField()
    customer_reference = models.CharField(max_length=200, blank=True)
    customer_language = models.CharField(
        max_length=2, choices=Language.choices, blank=True, help_text="Empty: the operator's."
    )
    metadata = models.JSONField(default=dict, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200)
    changed_because = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["operator", "reference"], name="reservation_reference_once"),
            models.CheckConstraint(condition=Q(places__gt=0), name="reservation_has_places"),
            models.CheckConstraint(
                condition=Q(amount__gte=0, amount_owed__gte=0, amount_proven__gte=0),
                name="reservation_amounts_not_negative",
            ),
            # Paid is a fact: all that is owed is proven. Of what is active it is so exactly then.
            models.CheckConstraint(
                condition=~Q(status__in=sorted(ACTIVE))
                | Q(status=ReservationStatus.PAID, amount_proven__gt=0, amount_proven__gte=F("amount_owed"))
                | (~Q(status=ReservationStatus.PAID) & (Q(amount_proven=0) | Q(amount_proven__lt=F("amount_owed")))),
                name="reservation_paid_is_proven",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(HOLDING)) | Q(amount_proven=0), name="reservation_hold_has_no_money"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(OWES_NOTHING)) | Q(amount_owed=0), name="reservation_over_owes_nothing"
            ),
            models.CheckConstraint(condition=Q(status__in=ReservationStatus.values), name="reservation_status_known"),
            models.CheckConstraint(
                condition=Q(slot__isnull=False) | Q(exclusive=True), name="reservation_whole_activity_is_exclusive"
            ),
            models.CheckConstraint(
                condition=Q(slot__isnull=False, day__isnull=True) | Q(slot__isnull=True, day__isnull=False),
                name="reservation_of_a_departure_or_a_day",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="reservation_ends_after_start"),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(HOLDING)) | Q(expires_at__isnull=False), name="reservation_hold_expires"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["operator", "-id"], name="reservation_operator_newest"),
            models.Index(fields=["status", "-id"], name="reservation_status_newest"),
            models.Index(fields=["operator", "paid_at"], condition=Q(paid_at__isnull=False), name="reservation_paid"),
            GinIndex(
                Func("reference", "customer_name", "customer_email", function="booking_words"), name="reservation_words"
            ),
            models.Index(fields=["expires_at"], condition=Q(status__in=sorted(HOLDING)), name="reservation_due"),
            models.Index(
                fields=["slot", "expires_at"], condition=Q(status__in=sorted(HOLDING)), name="reservation_slot_due"
            ),
            models.Index(fields=["slot"], name="reservation_slot"),
            models.Index(
                fields=["api_client", "expires_at"],
                condition=Q(status__in=sorted(HOLDING)),
                name="reservation_client_holds",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_active(self) -> bool:
        """Whether it holds places."""
        return self.status in ACTIVE

    def is_due(self, now: datetime) -> bool:
        """Whether its hold is past its time."""
        return self.status in HOLDING and self.expires_at is not None and self.expires_at <= now

    def status_at(self, now: datetime) -> str:
        """Return the status to show; past holds are expired."""
        return ReservationStatus.EXPIRED.value if self.is_due(now) else self.status

    def move(self, to: ReservationStatus, *, at: datetime, by: str, because: str) -> None:
        """Change the status in memory; the only setter.

        The database writes the history row. What is confirmed or paid again keeps the time of the first.

        Raises:
            InvalidStateError: The transition table does not allow it.
        """
        states.check(RESERVATION_TRANSITIONS, kind="reservation", status=self.status, wanted=to)
        self.status = to
        self.changed_at, self.changed_by, self.changed_because = at, by, because
        if to is ReservationStatus.CONFIRMED:
            self.confirmed_at = self.confirmed_at or at
        if to is ReservationStatus.PAID:
            self.paid_at = self.paid_at or at
        if to in OWES_NOTHING_BY_STATUS:
            self.amount_owed = 0

    def note(self, *, at: datetime, actor: str, reason: str) -> "History":
        """Make a history row without a change of status; not yet stored."""
        stays = {"from_status": self.status, "to_status": self.status}
        return History(reservation=self, at=at, actor=actor, reason=reason, **stays)


CHANGED_FIELDS = (
    "status",
    "amount_owed",
    "amount_proven",
    "expires_at",
    "confirmed_at",
    "paid_at",
    "changed_at",
    "changed_by",
    "changed_because",
)
"""Every field of a reservation that changes after it was made."""


class Occupancy(models.Model):
    """When a party has an exclusive activity for itself (P2).

    A row for each active reservation of an exclusive activity, and no other: triggers of the database write it with
    each change of a reservation (``sold_guards.py``), so that no code path can forget it. That two
    never overlap is the exclusion constraint's decision; ``activity_key`` is the activity as a range of one id, since
    core PostgreSQL has no such index of a plain id.
    """

    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="occupancies", db_index=False)
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="+", db_index=False)
    activity_key = models.GeneratedField(
        expression=Func("activity_id", "activity_id", Value("[]"), function="uuidrange"),
        output_field=UuidRangeField(),
        db_persist=True,
    )
    during = MultirangeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reservation", "activity"], name="occupancy_once"),
            ExclusionConstraint(expressions=[("activity_key", "="), ("during", "&&")], name="occupancy_one_party"),
        ]

    def __str__(self) -> str:
        return f"{self.activity_id} {self.during}"


class Unit(models.Model):
    """One place of a reservation, as it was sold."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="units")
    unit = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    amount = models.BigIntegerField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class Adjustment(models.Model):
    """Append-only: a change of what is owed, by whom and why."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="adjustments")
    kind = models.CharField(max_length=20, choices=AdjustmentKind.choices)
    amount = models.BigIntegerField(help_text="Added to what is owed; less than nothing lowers it.")
    refund = models.ForeignKey(
        Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The refund that it is of.",
    )  # fmt: skip
    keeps_places = models.BooleanField(default=False, help_text="The guest keeps the places when all money is back.")
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["refund", "kind"], condition=Q(refund__isnull=False), name="adjustment_of_refund_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=AdjustmentKind.values), name="adjustment_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=AdjustmentKind.REVERSAL, amount__gt=0, refund__isnull=False)
                | (~Q(kind=AdjustmentKind.REVERSAL) & Q(amount__lte=0)),
                name="adjustment_lowers_or_reverses",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {currencies.shown(self.amount, self.reservation.currency)}"


class History(models.Model):
    """Append-only: every change of a reservation's status.

    A trigger writes it, so that no code path can forget it.
    """

    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="history")
    at = models.DateTimeField()
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    moved_from = models.ForeignKey(
        Slot, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The departure that it was moved from; empty: it was not moved.",
    )  # fmt: skip

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name_plural = "history"
        # Rows come in order of time and stay: a small index that says which pages have which hours.
        indexes: ClassVar = [BrinIndex(fields=["at"], name="history_time")]

    def __str__(self) -> str:
        return f"{self.from_status or '—'} → {self.to_status}"
