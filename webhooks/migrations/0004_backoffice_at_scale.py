"""What lists, filters and searches of the backoffice need on large tables."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0007_backoffice_at_scale"),
        ("webhooks", "0003_attested"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="event",
            name="event_once",
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("status", "applied"), _negated=True),
                fields=["status", "-id"],
                name="event_not_applied",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("source", "webhook"), _negated=True),
                fields=["source", "-id"],
                name="event_not_delivered",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(fields=("event_id", "provider", "account"), name="event_once"),
        ),
    ]
