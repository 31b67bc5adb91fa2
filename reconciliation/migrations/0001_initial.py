"""Discrepancies, the provider's ledger, settlement runs and marks."""

import django.db.models.deletion
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("payments", "0002_guards"),
        ("tenants", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=32)),
                ("account", models.CharField(blank=True, max_length=64)),
                ("ref", models.CharField(max_length=255)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("charge", "Charge"),
                            ("refund", "Refund"),
                            ("dispute", "Dispute"),
                            ("fee", "Fee"),
                            ("payout", "Payout"),
                            ("other", "Other"),
                        ],
                        max_length=16,
                    ),
                ),
                ("category", models.CharField(help_text="The provider's own word for it.", max_length=64)),
                ("payment_ref", models.CharField(blank=True, max_length=255)),
                ("amount", models.BigIntegerField()),
                ("fee", models.BigIntegerField()),
                ("net", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "moved",
                    models.BigIntegerField(
                        help_text="What the customer paid or (negative) got back, in moved_currency."
                    ),
                ),
                ("moved_currency", models.CharField(max_length=3)),
                ("occurred_at", models.DateTimeField()),
                ("payout_ref", models.CharField(blank=True, max_length=255)),
            ],
            options={
                "verbose_name_plural": "ledger entries",
                "ordering": ["-occurred_at"],
                "indexes": [
                    models.Index(fields=["provider", "account", "occurred_at"], name="ledger_entry_time"),
                    models.Index(fields=["-occurred_at", "-id"], name="ledger_entry_newest"),
                    models.Index(
                        condition=models.Q(("payment_ref", ""), _negated=True),
                        fields=["payment_ref", "provider", "account"],
                        name="ledger_entry_payment",
                    ),
                    models.Index(
                        condition=models.Q(("payout_ref", ""), _negated=True),
                        fields=["payout_ref"],
                        name="ledger_entry_payout",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("ref", "provider", "account"), name="ledger_entry_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["charge", "refund", "dispute", "fee", "payout", "other"])),
                        name="ledger_entry_kind_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SettlementRun",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=32)),
                ("account", models.CharField(blank=True, max_length=64)),
                ("date", models.DateField(help_text="The day, in UTC.")),
                (
                    "status",
                    models.CharField(
                        choices=[("reading", "Reading"), ("done", "Done")], default="reading", max_length=16
                    ),
                ),
                ("read_until", models.DateTimeField(help_text="The ledger is read up to here.")),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("payments", models.PositiveIntegerField(default=0, help_text="Payments compared.")),
                ("payouts", models.PositiveIntegerField(default=0, help_text="Payouts compared.")),
                ("differences", models.PositiveIntegerField(default=0)),
                (
                    "totals",
                    models.JSONField(
                        default=dict, help_text="By currency: captured, refunded, fees, net; here and there."
                    ),
                ),
            ],
            options={
                "ordering": ["-date", "-id"],
                "indexes": [models.Index(fields=["provider", "account", "date"], name="settlement_run_day")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "reading")),
                        fields=("provider", "account", "date"),
                        name="settlement_run_going_on_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Watermark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=32)),
                ("provider", models.CharField(max_length=32)),
                ("account", models.CharField(blank=True, max_length=64)),
                ("read_until", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("name", "provider", "account"), name="watermark_once")],
            },
        ),
        migrations.CreateModel(
            name="Discrepancy",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("stuck", "stuck: the outcome could not be found out"),
                            ("status", "status: they have taken money that we have no evidence of"),
                            ("amount", "amount: theirs is not ours"),
                            ("currency", "currency: theirs is not ours"),
                            ("missing_here", "missing here: they know money that we do not"),
                            ("missing_there", "missing there: we know money that they do not"),
                            ("late", "late: they took money after we had closed the payment"),
                            ("event", "event: one could not be applied"),
                            ("partial_capture", "partial capture: they took a part of what was sold"),
                            ("refund_failed", "refund failed: money that is owed to a guest has not reached them"),
                            (
                                "payout",
                                "payout: money of a guest is too much in hand, and no provider can give it back",
                            ),
                            ("foreign_hold", "foreign hold: held there, and not of this installation"),
                        ],
                        max_length=16,
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("account", models.CharField(blank=True, max_length=64)),
                (
                    "subject",
                    models.CharField(help_text="What it is about: the provider's id, or else ours.", max_length=255),
                ),
                ("summary", models.TextField()),
                (
                    "difference",
                    models.JSONField(
                        default=dict, help_text="The figures of both sides; tells one difference from another."
                    ),
                ),
                (
                    "evidence",
                    models.JSONField(
                        default=dict, help_text="Both sides as they were, with the commands and the events."
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("acknowledged", "Acknowledged"), ("resolved", "Resolved")],
                        default="open",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("opened_by", models.CharField(max_length=200)),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("acknowledged_by", models.CharField(blank=True, max_length=200)),
                ("acknowledged_because", models.TextField(blank=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("resolved_by", models.CharField(blank=True, max_length=200)),
                ("resolved_because", models.TextField(blank=True)),
                ("resolution", models.CharField(blank=True, max_length=32)),
                (
                    "told_at",
                    models.DateTimeField(blank=True, help_text="When the mail to the staff was written.", null=True),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: not known whose.",
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
                        related_name="discrepancies",
                        to="payments.payment",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "discrepancies",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["operator", "-id"], name="discrepancy_operator_newest"),
                    models.Index(
                        condition=models.Q(("status", "resolved"), _negated=True),
                        fields=["kind"],
                        name="discrepancy_unresolved",
                    ),
                    models.Index(
                        condition=models.Q(("told_at", None)), fields=["opened_at"], name="discrepancy_untold"
                    ),
                    models.Index(fields=["kind", "subject"], name="discrepancy_of_subject"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "resolved"), _negated=True),
                        fields=("kind", "provider", "account", "subject"),
                        name="discrepancy_unresolved_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "stuck",
                                    "status",
                                    "amount",
                                    "currency",
                                    "missing_here",
                                    "missing_there",
                                    "late",
                                    "event",
                                    "partial_capture",
                                    "refund_failed",
                                    "payout",
                                    "foreign_hold",
                                ],
                            )
                        ),
                        name="discrepancy_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("acknowledged_at", None), ("resolved_at", None), ("status", "open")),
                            models.Q(
                                ("acknowledged_at__isnull", False), ("resolved_at", None), ("status", "acknowledged")
                            ),
                            models.Q(("resolved_at__isnull", False), ("status", "resolved")),
                            _connector="OR",
                        ),
                        name="discrepancy_status_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("acknowledged_at", None),
                                models.Q(
                                    models.Q(("acknowledged_by", ""), _negated=True),
                                    models.Q(("acknowledged_because", ""), _negated=True),
                                ),
                                _connector="OR",
                            ),
                            models.Q(
                                ("resolved_at", None),
                                models.Q(
                                    models.Q(("resolved_by", ""), _negated=True),
                                    models.Q(("resolved_because", ""), _negated=True),
                                    models.Q(("resolution", ""), _negated=True),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="discrepancy_change_is_explained",
                    ),
                ],
            },
        ),
    ]
