"""Mails."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("booking", "0002_guards"),
        ("payments", "0002_guards"),
        ("tenants", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mail",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("paid", "Paid"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                            ("cancelled", "Cancelled"),
                            ("cancelled_held", "Cancelled Held"),
                            ("cancelled_refund", "Cancelled Refund"),
                            ("cancelled_kept", "Cancelled Kept"),
                            ("confirmed", "Confirmed"),
                            ("due", "Due"),
                            ("overdue", "Overdue"),
                            ("moved", "Moved"),
                            ("refunded", "Refunded"),
                            ("part_returned", "Part Returned"),
                            ("late_seated", "Late Seated"),
                            ("late_refunded", "Late Refunded"),
                            ("person_needed", "Person Needed"),
                            ("dispute", "Dispute"),
                        ],
                        max_length=16,
                    ),
                ),
                ("cause", models.CharField(max_length=64)),
                (
                    "to",
                    django.contrib.postgres.fields.ArrayField(base_field=models.EmailField(max_length=254), size=None),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("es", "Spanish"), ("pt", "Portuguese")], max_length=2
                    ),
                ),
                ("facts", models.JSONField(default=dict, help_text="What it tells, as it was when it was written.")),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("sent", "Sent"), ("given_up", "Given Up")],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                (
                    "round",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="One more each time that a person has it sent again."
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.operator",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="payments.payment",
                    ),
                ),
                (
                    "reservation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mails",
                        to="booking.reservation",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")), fields=["next_attempt_at"], name="mail_due"
                    ),
                    models.Index(fields=["operator", "-id"], name="mail_operator_newest"),
                    models.Index(
                        condition=models.Q(("status", "sent"), _negated=True),
                        fields=["status", "-id"],
                        name="mail_not_sent",
                    ),
                    models.Index(fields=["kind", "-id"], name="mail_kind_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("cause",), name="mail_once_for_a_cause"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "paid",
                                    "failed",
                                    "expired",
                                    "cancelled",
                                    "cancelled_held",
                                    "cancelled_refund",
                                    "cancelled_kept",
                                    "confirmed",
                                    "due",
                                    "overdue",
                                    "moved",
                                    "refunded",
                                    "part_returned",
                                    "late_seated",
                                    "late_refunded",
                                    "person_needed",
                                    "dispute",
                                ],
                            )
                        ),
                        name="mail_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("status", "sent")),
                            models.Q(("status", "sent"), _negated=True),
                            _connector="OR",
                        ),
                        name="mail_sent_dated",
                    ),
                ],
            },
        ),
    ]
