"""Away with two indexes whose columns others begin with: each row is written to every index three times in its life.

By name: altering the field would take every index of its column away, and with them the unique one that lets an exclusive
departure have one party only (P2). https://code.djangoproject.com/ticket/37286
"""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Written by hand."""

    dependencies: ClassVar = [
        ("booking", "0006_moves"),
        ("tenants", "0005_identity_and_bulk_runs"),
    ]

    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "DROP INDEX booking_reservation_operator_id_c07fb457; DROP INDEX booking_reservation_slot_id_18254cd1;",
                    "CREATE INDEX booking_reservation_operator_id_c07fb457 ON booking_reservation (operator_id);"
                    "CREATE INDEX booking_reservation_slot_id_18254cd1 ON booking_reservation (slot_id);",
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="reservation",
                    name="operator",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.operator",
                    ),
                ),
                migrations.AlterField(
                    model_name="reservation",
                    name="slot",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reservations",
                        to="booking.slot",
                    ),
                ),
            ],
        ),
    ]
