"""A dispute may be of no amount."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("payments", "0012_driver_is_fixed"),
        ("tenants", "0005_identity_and_bulk_runs"),
    ]

    operations: ClassVar = [
        migrations.RemoveConstraint(
            model_name="dispute",
            name="dispute_amount_positive",
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0)), name="dispute_amount_not_negative"
            ),
        ),
    ]
