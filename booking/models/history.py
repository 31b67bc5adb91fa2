"""How a reservation came to where it stands."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from booking.models.reservation import Reservation
from catalogue.models import Slot


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

    @classmethod
    def noting(cls, reservation: Reservation, *, at: datetime, actor: str, reason: str) -> "History":
        """Make a row without a change of status; not yet stored."""
        stays = {"from_status": reservation.status, "to_status": reservation.status}
        return cls(reservation=reservation, at=at, actor=actor, reason=reason, **stays)
