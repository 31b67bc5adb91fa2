"""Idempotency keys and their answers."""

import django.db.models.deletion
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                ("method", models.CharField(max_length=8)),
                ("path", models.TextField()),
                ("fingerprint", models.CharField(help_text="SHA-256 of method, path and body.", max_length=64)),
                (
                    "operation_id",
                    models.UUIDField(
                        default=common.ids.new_id,
                        help_text="The id of what the request makes, so that a retry finds it.",
                        unique=True,
                    ),
                ),
                (
                    "claim_id",
                    models.UUIDField(default=common.ids.new_id, help_text="The run that may write the answer."),
                ),
                ("leased_until", models.DateTimeField(help_text="Until then the run is taken to be alive.")),
                (
                    "leased_by",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The process that runs it, by host, boot, pid.",
                        max_length=255,
                    ),
                ),
                (
                    "status_code",
                    models.PositiveSmallIntegerField(blank=True, help_text="Empty: not answered yet.", null=True),
                ),
                ("body", models.BinaryField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "api_client",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.apiclient",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="idempotency_key_age")],
                "constraints": [models.UniqueConstraint(fields=("api_client", "key"), name="idempotency_key_once")],
            },
        ),
    ]
