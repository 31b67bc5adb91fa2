"""A reservation: places for one customer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.functional import cached_property

from booking.states import (
    ACTIVE,
    CHANGEABLE,
    HOLDING,
    OWES_NOTHING,
    OWES_NOTHING_BY_STATUS,
    RESERVATION_TRANSITIONS,
    OnDecline,
    PayBy,
    ReservationStatus,
)
from catalogue import plans
from catalogue.models import Activity, Slot
from common import ids, states
from payments.models import Payment
from tenants.models import ApiClient, Language, Operator

MANAGES = "reservation"
"""How a payment names a reservation as what drives it (``Payment.managed_by``)."""


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
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The live attempt; else the last that took money; else the last. Empty: none was begun.",
    )  # fmt: skip
    attempts = models.PositiveSmallIntegerField(default=1, db_default=1, help_text="Payments that were begun for it.")
    pay_by = models.CharField(max_length=12, choices=PayBy.choices, default=PayBy.PROVIDER, db_default=PayBy.PROVIDER)
    replacing = models.UUIDField(
        null=True, blank=True, editable=False, help_text="The attempt that was given up for another one."
    )
    change = models.ForeignKey(
        "booking.Change", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        editable=False, help_text="The one that is open; empty: none.",
    )  # fmt: skip
    on_decline = models.CharField(
        max_length=10,
        choices=OnDecline.choices,
        default=OnDecline.RELEASE,
        db_default=OnDecline.RELEASE,
        help_text="Whether a hold outlives a declined card.",
    )
    status = models.CharField(max_length=20, choices=ReservationStatus.choices)
    exclusive = models.BooleanField(help_text="Whether the activity was exclusive when it was sold.")
    places = models.PositiveIntegerField()
    amount = models.BigIntegerField(help_text="What was sold.")
    amount_owed = models.BigIntegerField(help_text="All that has to be paid for it, by now.")
    amount_proven = models.BigIntegerField(
        default=0, help_text="What providers' events prove: captured less given back, of all its payments."
    )
    amount_collected = models.BigIntegerField(
        default=0, db_default=0, help_text="What receipts come to: cash and the like, and what stands on an account."
    )
    schedule = models.JSONField(
        default=plans.full, db_default=Value(plans.full(), output_field=models.JSONField()),
        help_text="What has to be paid in all, and by when; as it was sold.",
    )  # fmt: skip
    next_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    terms = models.JSONField(null=True, blank=True, help_text="The rules of a cancellation, as they were sold.")
    terms_stage = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="The worst rule that was reached before it was moved."
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
            models.CheckConstraint(condition=Q(on_decline__in=OnDecline.values), name="reservation_on_decline_known"),
            models.CheckConstraint(condition=Q(pay_by__in=PayBy.values), name="reservation_pay_by_known"),
            models.CheckConstraint(
                condition=Q(attempts=0, payment__isnull=True) | Q(attempts__gt=0, payment__isnull=False),
                name="reservation_shows_a_payment",
            ),
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
                condition=~Q(status__in=sorted(HOLDING)) | Q(amount_proven=0, amount_collected=0),
                name="reservation_hold_has_no_money",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(OWES_NOTHING)) | Q(amount_owed=0), name="reservation_over_owes_nothing"
            ),
            models.CheckConstraint(
                condition=Q(change__isnull=True) | Q(status__in=sorted(CHANGEABLE)),
                name="reservation_change_is_of_sold",
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
            models.Index(fields=["next_due_at"], condition=Q(next_due_at__isnull=False), name="reservation_next_due"),
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

    @cached_property
    def payments(self) -> Sequence[Payment]:
        """List its attempts, oldest first.

        Read once, or put here by the function that locks or lists them.
        """
        if self.payment is None:
            return []
        if self.attempts == 1:
            return [self.payment]
        return list(Payment.objects.filter(managed_id=self.pk, managed_by=MANAGES).order_by("id"))

    def get_payment(self, payment_id: UUID) -> Payment:
        """Return the payment of an id, which is one of its own."""
        return next(payment for payment in self.payments if payment.pk == payment_id)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Read it anew, its payments too."""
        self.__dict__.pop("payments", None)
        super().refresh_from_db(*args, **kwargs)

    def know_payments(self, payments: Sequence[Payment]) -> None:
        """Take over all its payments, as they were read."""
        self.payments = payments
        self.payment = next((payment for payment in payments if payment.pk == self.payment_id), None)

    @property
    def live_payment(self) -> Payment | None:
        """The attempt that may take money; an open change has its own."""
        live = (payment for payment in self.payments if not payment.is_final)
        return next((each for each in live if each.managed_part is None or each.managed_part != self.change_id), None)

    def live_payment_of(self, change: UUID) -> Payment | None:
        """Return the live attempt of a change."""
        live = (payment for payment in self.payments if not payment.is_final)
        return next((each for each in live if each.managed_part == change), None)

    @property
    def amount_refunding(self) -> int:
        """What is on its way back, of all its payments."""
        return sum(payment.amount_refunding for payment in self.payments)

    @property
    def balance(self) -> int:
        """What has to be paid still; less than 0 is surplus.

        In minor units: what is owed, less what is proven and not on its way back, less what is collected.
        """
        return self.amount_owed - self.amount_proven + self.amount_refunding - self.amount_collected

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
        if to not in ACTIVE:
            self.next_due_at = None
        if to in OWES_NOTHING_BY_STATUS:
            self.amount_owed = 0


CHANGED_FIELDS = (
    "status",
    "payment",
    "change",
    "attempts",
    "replacing",
    "amount_owed",
    "amount_proven",
    "amount_collected",
    "next_due_at",
    "expires_at",
    "confirmed_at",
    "paid_at",
    "changed_at",
    "changed_by",
    "changed_because",
)
"""Every field of a reservation that changes after it was made."""
