"""What a reservation has: its units, and an exclusive activity's time."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models
from django.db.models import Func, Value

from booking.fields import MultirangeField, UuidRangeField
from booking.models.reservation import Reservation
from catalogue.models import Activity
from common import ids


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
