"""The language of a guest's mails, and the history by time."""

from typing import ClassVar

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("booking", "0003_guards"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="reservation",
            name="customer_language",
            field=models.CharField(
                blank=True,
                choices=[("en", "English"), ("es", "Spanish"), ("pt", "Portuguese")],
                help_text="Empty: the operator's.",
                max_length=2,
            ),
        ),
        migrations.AddIndex(
            model_name="history",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="history_time"),
        ),
    ]
