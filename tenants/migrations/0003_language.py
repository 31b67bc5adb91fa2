"""The language of an operator's mails."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("tenants", "0002_request_counts"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="operator",
            name="language",
            field=models.CharField(
                choices=[("en", "English"), ("es", "Spanish"), ("pt", "Portuguese")],
                default="en",
                help_text="Of mails to the staff, and to guests who have not said theirs.",
                max_length=2,
            ),
        ),
    ]
