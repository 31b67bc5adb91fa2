"""The inbox: events and notices."""

import django.db.models.deletion
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("payments", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=32)),
                ("account", models.CharField(blank=True, max_length=64)),
                ("event_id", models.CharField(max_length=255)),
                ("type", models.CharField(max_length=100)),
                ("object_ref", models.CharField(blank=True, max_length=255)),
                (
                    "live",
                    models.BooleanField(help_text="Whether it is of real money. NULL: it cannot be read.", null=True),
                ),
                ("api_version", models.CharField(blank=True, max_length=64)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("webhook", "Webhook"),
                            ("looked_up", "Looked Up"),
                            ("recovered", "Recovered"),
                            ("attested", "Attested"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "endpoint",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The account whose endpoint was called, or for which the provider was read. Empty: the platform's.",
                        max_length=64,
                    ),
                ),
                (
                    "proven_account",
                    models.CharField(
                        blank=True,
                        help_text="The account that it was verified for. NULL: it never was.",
                        max_length=64,
                        null=True,
                    ),
                ),
                (
                    "secret_name",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The name of the secret that verified it, or of the key that it was read with.",
                        max_length=120,
                    ),
                ),
                ("payload", models.JSONField()),
                (
                    "problem",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Why it cannot be read; it proves nothing.",
                        max_length=500,
                    ),
                ),
                (
                    "captured_amount",
                    models.BigIntegerField(default=0, help_text="Money that this event proves to be captured."),
                ),
                ("captured_currency", models.CharField(blank=True, max_length=3)),
                (
                    "occurred_at",
                    models.DateTimeField(help_text="By the provider's clock. NULL: it cannot be read.", null=True),
                ),
                ("received_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("applied", "Applied"),
                            ("ignored", "Ignored"),
                            ("orphaned", "Orphaned"),
                            ("failed", "Failed"),
                        ],
                        max_length=16,
                    ),
                ),
                ("effect", models.CharField(blank=True, max_length=16)),
                ("error", models.TextField(blank=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "next_attempt_at",
                    models.DateTimeField(blank=True, help_text="Empty: it is not tried again by itself.", null=True),
                ),
                ("processed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "attested_by",
                    models.CharField(blank=True, help_text="Who vouches for it, if it was never sent.", max_length=200),
                ),
                ("attested_because", models.TextField(blank=True)),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="payments.payment",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["failed", "orphaned"])),
                        fields=["next_attempt_at"],
                        name="event_due",
                    ),
                    models.Index(fields=["object_ref"], name="event_object"),
                    models.Index(
                        condition=models.Q(("status", "applied"), _negated=True),
                        fields=["status", "-id"],
                        name="event_not_applied",
                    ),
                    models.Index(
                        condition=models.Q(("source", "webhook"), _negated=True),
                        fields=["source", "-id"],
                        name="event_not_delivered",
                    ),
                    models.Index(
                        condition=models.Q(("captured_amount__gt", 0)), fields=["occurred_at"], name="event_captured"
                    ),
                    models.Index(
                        condition=models.Q(("payment__isnull", False), ("status", "orphaned")),
                        fields=["payment"],
                        name="event_waiting",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("event_id", "provider", "account"), name="event_once"),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["applied", "ignored", "orphaned", "failed"])),
                        name="event_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["webhook", "looked_up", "recovered", "attested"])),
                        name="event_source_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("source", "attested"), _negated=True),
                            models.Q(
                                models.Q(("attested_by", ""), _negated=True),
                                models.Q(("attested_because", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="event_attested_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "applied"), _negated=True),
                            models.Q(("live__isnull", False), ("occurred_at__isnull", False), ("problem", "")),
                            _connector="OR",
                        ),
                        name="event_applied_was_read",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("proven_account", None),
                            models.Q(
                                ("endpoint__in", ("", models.F("account"))),
                                ("proven_account", models.F("account")),
                                models.Q(("secret_name", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="event_proven_for_its_account",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "attempts",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="How often it was claimed. Only grows: it is the number of the latest claim.",
                    ),
                ),
                (
                    "extra_attempts",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Attempts beyond those of a round: one for each that came too fast, a round for each by staff.",
                    ),
                ),
                (
                    "next_attempt_at",
                    models.DateTimeField(blank=True, help_text="Empty: nobody will try it again.", null=True),
                ),
                (
                    "leased_until",
                    models.DateTimeField(blank=True, help_text="Until then a sender is taken to be alive.", null=True),
                ),
                (
                    "leased_by",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The sender's process, by host, boot and pid.",
                        max_length=255,
                    ),
                ),
                ("last_error", models.TextField(blank=True)),
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=32)),
                (
                    "account",
                    models.CharField(blank=True, help_text="The account that it was verified for.", max_length=64),
                ),
                ("secret_name", models.CharField(help_text="The name of the secret that verified it.", max_length=120)),
                (
                    "delivery_id",
                    models.CharField(blank=True, help_text="The provider's id of the delivery.", max_length=255),
                ),
                ("digest", models.CharField(help_text="SHA-256 of the body.", max_length=64)),
                ("type", models.CharField(blank=True, max_length=100)),
                ("lookup_ref", models.CharField(help_text="What to look up at the provider.", max_length=255)),
                ("payload", models.JSONField()),
                ("received_at", models.DateTimeField()),
                (
                    "deliveries",
                    models.PositiveIntegerField(default=1, help_text="How often it came. Each time is one more look."),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("looked_up", "Looked Up"), ("given_up", "Given Up")],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="webhooks.event",
                    ),
                ),
                ("looked_up_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")), fields=["next_attempt_at"], name="notice_due"
                    ),
                    models.Index(
                        condition=models.Q(("status", "looked_up"), _negated=True),
                        fields=["status", "-id"],
                        name="notice_not_done",
                    ),
                    models.Index(fields=["lookup_ref"], name="notice_object"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "account", "delivery_id", "digest"), name="notice_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["waiting", "looked_up", "given_up"])),
                        name="notice_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "looked_up"), _negated=True),
                            models.Q(("event__isnull", False), ("looked_up_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="notice_looked_up_has_event",
                    ),
                ],
            },
        ),
    ]
