"""Events that a person vouches for, and the time of captured money."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("payments", "0005_reconciliation"),
        ("webhooks", "0002_evidence"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="event",
            name="attested_because",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="event",
            name="attested_by",
            field=models.CharField(blank=True, help_text="Who vouches for it, if it was never sent.", max_length=200),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("captured_amount__gt", 0)), fields=["occurred_at"], name="event_captured"
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("source", "attested"), _negated=True),
                    models.Q(
                        models.Q(("attested_by", ""), _negated=True), models.Q(("attested_because", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="event_attested_by_somebody",
            ),
        ),
    ]
