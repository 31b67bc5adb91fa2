"""Events that wait for other news of their payment."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("payments", "0013_news_that_waits"),
        ("webhooks", "0006_guards"),
    ]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("payment__isnull", False), ("status", "orphaned")),
                fields=["payment"],
                name="event_waiting",
            ),
        ),
    ]
