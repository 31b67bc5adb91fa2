"""When each sweep ran, and what came of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SweepRun",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "handled",
                    models.PositiveIntegerField(default=0, help_text="How many rows the last finished run dealt with."),
                ),
                ("error", models.TextField(blank=True, help_text="Of the last run; empty: it went well.")),
            ],
            options={
                "ordering": ["name"],
            },
        ),
    ]
