"""The history of the offer: capacity, closing and prices.

Triggers alone write it; it is append-only (P11).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q

from adminkit.staff_log import Entry
from common import currencies
from tenants import clocks
from tenants.models import Operator

_MOST = 200
"""Changes that a page shows: the newest."""


class OfferField(models.TextChoices):
    """What changed."""

    CAPACITY = "capacity"
    IS_CLOSED = "is_closed"
    PRICE = "price"
    CURRENCY = "currency"
    IS_ACTIVE = "is_active"
    EXCLUSIVE = "exclusive"
    TERMS = "terms", "cancellation terms"
    PLAN = "plan", "deposit"
    DEPARTURES = "departures", "departures made"
    DEPARTURE = "departure", "departure removed"


_OF_ACTIVITIES = tuple(set(OfferField.values) - {OfferField.CAPACITY, OfferField.IS_CLOSED})


class OfferHistory(models.Model):
    """Append-only: a change of the offer, with values before and after.

    Null: there was none, or there is none any more.

    Triggers write it (``guards.py``), and nothing else can. What it tells of may be gone,
    so that no foreign key holds the ids of activities and departures.
    """

    at = models.DateTimeField()
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    activity = models.ForeignKey("Activity", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False,
                                 db_index=False)  # fmt: skip
    slot = models.ForeignKey("Slot", on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False,
                             db_index=False)  # fmt: skip
    what = models.CharField(max_length=20, choices=OfferField.choices)
    unit = models.CharField(max_length=40, blank=True, help_text="Of a price: what it is the price of.")
    currency = models.CharField(max_length=3, blank=True, help_text="Of a price: its currency at that time.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name_plural = "offer history"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(what__in=OfferField.values), name="offer_history_what_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["activity", "what", "-id"], name="offer_history_of_activity"),
            models.Index(fields=["slot", "-id"], condition=Q(slot__isnull=False), name="offer_history_of_slot"),
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.before} → {self.after}"

    def told(self, zone: str) -> str:
        """Say in one sentence what changed; times by the clock of ``zone``."""
        tell = _SENTENCES.get(self.what)
        if tell is not None:
            return tell(self, zone)
        if self.what == OfferField.PRICE:
            return f"Price of {self.unit} {_money(self, self.before)} → {_money(self, self.after)}"
        return f"{self.get_what_display()} {_or_none(self.before)} → {_or_none(self.after)}"


def of_departure(slot_id: UUID, *, zone: str) -> Sequence[Entry]:
    """List what changed of a departure, the oldest first."""
    return _entries(Q(slot=slot_id), zone)


def of_activity(activity_id: UUID, *, zone: str) -> Sequence[Entry]:
    """List changes of an activity, its prices and departures, oldest first."""
    return _entries(Q(activity=activity_id, what__in=_OF_ACTIVITIES), zone)


def _entries(which: Q, zone: str) -> Sequence[Entry]:
    newest = OfferHistory.objects.filter(which).order_by("-id")[:_MOST]
    return [Entry(change.at, change.actor, change.told(zone), change.reason) for change in reversed(newest)]


def _money(change: OfferHistory, amount: Any) -> str:
    return _or_none(amount) if amount is None else currencies.shown(amount, change.currency)


def _or_none(value: Any) -> str:
    return "none" if value in (None, "") else str(value)


def _made(made: Any, zone: str) -> str:
    first, last = _when(made["first"], zone), _when(made["last"], zone)
    if made["departures"] == 1:
        return f"Departure made: {first}, {made['places']} places"
    return f"{made['departures']:,} departures made: {first} to {last}, {made['places']:,} places"


def _removed(gone: Any, zone: str) -> str:
    return f"Departure removed: {_when(gone['starts_at'], zone)}, {gone['capacity']} places"


def _when(written: str, zone: str) -> str:
    return clocks.when(datetime.fromisoformat(written), zone)


_SENTENCES: Mapping[str, Callable[[OfferHistory, str], str]] = {
    OfferField.IS_CLOSED: lambda change, zone: "Closed to new reservations" if change.after else "Opened again",
    OfferField.IS_ACTIVE: lambda change, zone: "Sold again" if change.after else "No longer sold",
    OfferField.EXCLUSIVE: lambda change, zone: "For one party only" if change.after else "For several parties",
    OfferField.DEPARTURES: lambda change, zone: _made(change.after, zone),
    OfferField.DEPARTURE: lambda change, zone: _removed(change.before, zone),
}
