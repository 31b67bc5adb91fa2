"""Away with an index that the unique one of client and key makes needless."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("idempotency", "0002_initial"),
        ("tenants", "0005_identity_and_bulk_runs"),
    ]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="idempotencykey",
            name="api_client",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="tenants.apiclient"
            ),
        ),
    ]
