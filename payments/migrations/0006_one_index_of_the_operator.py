"""Away with an index that the one by operator and time makes needless."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("payments", "0005_reconciliation"),
        ("tenants", "0004_roles"),
    ]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="payment",
            name="operator",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.operator"
            ),
        ),
    ]
