"""When a reservation is, as it was sold; and the table by which an exclusive resource has one party at a time."""

from typing import ClassVar

import django.contrib.postgres.constraints
import django.db.models.deletion
from django.db import migrations, models

import booking.fields

TYPE = "CREATE TYPE uuidrange AS RANGE (subtype = uuid)"
TIMES = """
UPDATE booking_reservation r SET starts_at = s.starts_at, ends_at = s.ends_at FROM booking_slot s WHERE s.id = r.slot_id;
UPDATE booking_reservation r SET day = (r.created_at AT TIME ZONE a.timezone)::date,
    starts_at = (r.created_at AT TIME ZONE a.timezone)::date::timestamp AT TIME ZONE a.timezone,
    ends_at = ((r.created_at AT TIME ZONE a.timezone)::date + 1)::timestamp AT TIME ZONE a.timezone
    FROM booking_resource a WHERE a.id = r.resource_id AND r.slot_id IS NULL;
UPDATE booking_slot s SET sold_at = now() WHERE EXISTS (SELECT FROM booking_reservation r WHERE r.slot_id = s.id);
SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;
"""
_TIMES = ("starts_at", "As it was sold: of the departure, or of the day."), ("ends_at", "")


class Migration(migrations.Migration):
    """The guards are in the migration after this one."""

    dependencies: ClassVar = [("booking", "0009_one_departure_at_a_time")]
    operations: ClassVar = [
        migrations.RunSQL(TYPE, "DROP TYPE uuidrange"),
        migrations.AddField(
            "slot",
            "sold_at",
            models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When a place was first taken; activity and time are fixed.",
                null=True,
            ),
        ),
        migrations.AddField(
            "reservation",
            "day",
            models.DateField(blank=True, help_text="The local day of a whole resource; empty: a departure.", null=True),
        ),
        *(migrations.AddField("reservation", name, models.DateTimeField(null=True)) for name, _ in _TIMES),
        migrations.RunSQL(TIMES, migrations.RunSQL.noop),
        *(
            migrations.AlterField(
                "reservation", name, models.DateTimeField(help_text=text) if text else models.DateTimeField()
            )
            for name, text in _TIMES
        ),
        migrations.RemoveConstraint("reservation", "reservation_resource_exclusive"),
        migrations.RemoveConstraint("reservation", "reservation_slot_exclusive"),
        migrations.AddConstraint(
            "reservation",
            models.CheckConstraint(
                condition=models.Q(slot__isnull=False, day__isnull=True)
                | models.Q(slot__isnull=True, day__isnull=False),
                name="reservation_of_a_departure_or_a_day",
            ),
        ),
        migrations.AddConstraint(
            "reservation",
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="reservation_ends_after_start"
            ),
        ),
        migrations.CreateModel(
            "Occupancy",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "resource_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func("resource_id", "resource_id", models.Value("[]"), function="uuidrange"),
                        output_field=booking.fields.UuidRangeField(),
                    ),
                ),
                ("during", booking.fields.MultirangeField()),
                (
                    "reservation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="occupancies",
                        to="booking.reservation",
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="booking.resource",
                    ),
                ),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.AddConstraint(
            "occupancy", models.UniqueConstraint(fields=("reservation", "resource"), name="occupancy_once")
        ),
        migrations.AddConstraint(
            "occupancy",
            django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[("resource_key", "="), ("during", "&&")], name="occupancy_one_party"
            ),
        ),
    ]
