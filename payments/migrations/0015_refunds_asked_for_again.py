"""A refund that is asked for in the place of one that failed, once."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("payments", "0014_never_emptied"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="refund",
            name="replaces",
            field=models.OneToOneField(
                blank=True,
                help_text="The refund that failed, in whose place this one was asked for.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaced_by",
                to="payments.refund",
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="failure_code",
            field=models.CharField(blank=True, help_text="Of one on its way: why it hangs.", max_length=100),
        ),
    ]
