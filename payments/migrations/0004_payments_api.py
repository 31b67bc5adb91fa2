"""What the payments API needs: payments that nothing manages, disputes, and money's movements as one list."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import common.ids

FILL = """
UPDATE payments_refund r SET operator_id = p.operator_id FROM payments_payment p WHERE p.id = r.payment_id;
-- A table whose deferred checks are waiting cannot be altered.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

VIEW = """
CREATE VIEW payments_transaction AS
SELECT p.id, p.operator_id, p.id AS payment_id, 'charge' AS kind,
       CASE WHEN p.status = 'succeeded' AND p.amount_refunded = p.amount_captured THEN 'refunded'
            WHEN p.status = 'succeeded' THEN 'successful'
            WHEN p.status IN ('failed', 'canceled') THEN 'failed'
            WHEN p.stuck_at IS NOT NULL THEN 'stuck'
            ELSE 'pending' END AS status,
       CASE WHEN p.amount_captured > 0 THEN p.amount_captured ELSE p.amount END AS amount,
       p.currency, p.provider, p.provider_ref, p.created_at
FROM payments_payment p
UNION ALL
SELECT r.id, r.operator_id, r.payment_id, 'refund' AS kind,
       CASE r.status WHEN 'succeeded' THEN 'successful' WHEN 'pending' THEN 'pending' ELSE 'failed' END AS status,
       r.amount, p.currency, p.provider, r.provider_ref, r.created_at
FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id;
"""


class Migration(migrations.Migration):
    """Additions only; payments that are there belong to reservations."""

    dependencies: ClassVar = [("tenants", "0001_initial"), ("payments", "0003_guards")]

    operations: ClassVar = [
        migrations.AddField(
            "payment",
            "managed_by",
            models.CharField(
                blank=True,
                default="reservation",
                help_text="What drives it, such as reservation. Empty: the payments API itself.",
                max_length=32,
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            "payment",
            "managed_by",
            models.CharField(
                blank=True,
                help_text="What drives it, such as reservation. Empty: the payments API itself.",
                max_length=32,
            ),
        ),
        migrations.AddField(
            "payment",
            "customer_id",
            models.CharField(blank=True, default="", help_text="The caller's own name for who pays.", max_length=255),
            preserve_default=False,
        ),
        migrations.AddField("payment", "metadata", models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            "payment",
            "auth_code",
            models.CharField(blank=True, default="", help_text="The bank's word for its yes.", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            "payment", "receipt_url", models.URLField(blank=True, default="", max_length=1000), preserve_default=False
        ),
        migrations.AddField(
            "refund",
            "operator",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.operator",
                db_index=False,
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            "refund",
            "operator",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.operator",
                db_index=False,
            ),
        ),
        migrations.AddIndex("refund", models.Index(fields=["operator", "-id"], name="refund_operator_newest")),
        migrations.CreateModel(
            "Dispute",
            [
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider_ref", models.CharField(max_length=255)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(blank=True, max_length=100)),
                (
                    "status",
                    models.CharField(help_text="The provider's own word, since its list is open.", max_length=64),
                ),
                ("is_closed", models.BooleanField(default=False)),
                ("respond_by", models.DateTimeField(blank=True, null=True)),
                (
                    "as_of",
                    models.DateTimeField(help_text="The time of the event that said so; an older one changes nothing."),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.operator",
                        db_index=False,
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="payments.payment"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["operator", "-id"], name="dispute_operator_newest")],
                "constraints": [
                    models.UniqueConstraint(fields=("payment", "provider_ref"), name="dispute_once"),
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="dispute_amount_positive"),
                ],
            },
        ),
        migrations.AlterField(
            "command",
            "kind",
            models.CharField(
                choices=[
                    ("create", "Create"),
                    ("confirm", "Confirm"),
                    ("authorize", "Authorize"),
                    ("charge", "Charge"),
                    ("capture", "Capture"),
                    ("cancel", "Cancel"),
                    ("refund", "Refund"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            "Transaction",
            [
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("charge", "Charge"), ("refund", "Refund")], max_length=8)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("successful", "Successful"),
                            ("failed", "Failed"),
                            ("stuck", "Stuck"),
                            ("refunded", "Refunded"),
                        ],
                        max_length=16,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("provider", models.CharField(max_length=32)),
                ("provider_ref", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField()),
            ],
            options={"db_table": "payments_transaction", "ordering": ["-id"], "managed": False},
        ),
        migrations.RunSQL(VIEW, "DROP VIEW payments_transaction"),
    ]
