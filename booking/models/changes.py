"""A change of a reservation: places held beside those that it has."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from booking.models.reservation import Reservation
from booking.states import CHANGE_TRANSITIONS, ChangeStatus, OnDecline
from catalogue.models import Slot
from common import ids, states
from tenants.models import ApiClient


class Change(models.Model):
    """Places asked for beside those of a reservation: another date, more people.

    Holds them for a time, as a reservation does; its money is no part of what is owed until it is done.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="changes")
    api_client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    status = models.CharField(max_length=12, choices=ChangeStatus.choices)
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="+", db_index=False)
    places = models.PositiveIntegerField(help_text="Held on the departure beside what the reservation has.")
    sold = models.JSONField(default=list, help_text="The units that are added, with their prices.")
    prices = models.JSONField(default=dict, help_text="What the units cost then that it has, by their ids.")
    amount = models.BigIntegerField(help_text="What the price becomes more by; less than nothing: less.")
    amount_due = models.BigIntegerField(help_text="What has to be paid before it is done.")
    on_decline = models.CharField(max_length=10, choices=OnDecline.choices, default=OnDecline.RELEASE)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200)
    changed_because = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=ChangeStatus.values), name="change_status_known"),
            models.CheckConstraint(condition=Q(places__gt=0), name="change_has_places"),
            models.CheckConstraint(condition=Q(amount_due__gte=0), name="change_due_not_negative"),
            models.UniqueConstraint(
                fields=["reservation"], condition=Q(status=ChangeStatus.OPEN), name="change_open_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["slot", "expires_at"], condition=Q(status=ChangeStatus.OPEN), name="change_slot_open"),
            models.Index(
                fields=["api_client", "expires_at"], condition=Q(status=ChangeStatus.OPEN), name="change_client_open"
            ),
            models.Index(fields=["expires_at"], condition=Q(status=ChangeStatus.OPEN), name="change_expires"),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()} change"

    def is_due(self, now: datetime) -> bool:
        """Whether it is open and past its time."""
        return self.status == ChangeStatus.OPEN and self.expires_at <= now

    def status_at(self, now: datetime) -> str:
        """Return the status to show; past its time it is expired."""
        return ChangeStatus.EXPIRED.value if self.is_due(now) else self.status

    def check_open(self, now: datetime) -> None:
        """Refuse for what cannot be done any more.

        Raises:
            InvalidStateError: It is over, or past its time.
        """
        if self.status_at(now) != ChangeStatus.OPEN:
            raise states.InvalidStateError(kind="change", status=self.status_at(now), wanted=ChangeStatus.DONE)

    def move(self, to: ChangeStatus, *, at: datetime, by: str, because: str) -> None:
        """Change the status in memory; the only setter.

        Raises:
            InvalidStateError: It is over.
        """
        states.check(CHANGE_TRANSITIONS, kind="change", status=self.status, wanted=to)
        self.status = to
        self.changed_at, self.changed_by, self.changed_because = at, by, because


CHANGE_FIELDS = ("status", "changed_at", "changed_by", "changed_because")
"""Every field of a change that changes after it was made."""
