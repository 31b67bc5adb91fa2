"""What the reconciliation needs: when to look at a payment, the looks, and the pace of calls to a provider."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

import common.ids

# A payment is looked at while anything about it is open. Kept by the database, so that no code path can forget it.
FORWARD = """
CREATE FUNCTION payments_payment_is_looked_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.look_after := CASE WHEN NEW.status NOT IN ('succeeded', 'failed', 'canceled')
                             OR NEW.amount_refunding > 0 OR NEW.stuck_at IS NOT NULL THEN now() END;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_is_looked_at_from_the_start BEFORE INSERT ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_payment_is_looked_at();
CREATE TRIGGER payment_is_looked_at_anew BEFORE UPDATE ON payments_payment FOR EACH ROW
    WHEN ((OLD.status, OLD.amount_refunding, OLD.stuck_at) IS DISTINCT FROM
          (NEW.status, NEW.amount_refunding, NEW.stuck_at))
    EXECUTE FUNCTION payments_payment_is_looked_at();

UPDATE payments_payment SET look_after = changed_at
WHERE status NOT IN ('succeeded', 'failed', 'canceled') OR amount_refunding > 0 OR stuck_at IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

BACKWARD = """
DROP TRIGGER payment_is_looked_at_anew ON payments_payment;
DROP TRIGGER payment_is_looked_at_from_the_start ON payments_payment;
DROP FUNCTION payments_payment_is_looked_at();
"""


class Migration(migrations.Migration):
    """Generated, with the triggers added."""

    dependencies: ClassVar = [
        ("payments", "0004_payments_api"),
        ("tenants", "0002_request_counts"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, help_text="How many have failed in a row, with this one."),
                ),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("in_step", "In Step"),
                            ("applied", "Applied"),
                            ("recovered", "Recovered"),
                            ("released", "Released"),
                            ("failed", "Failed"),
                        ],
                        default="running",
                        max_length=16,
                    ),
                ),
                (
                    "provider_status",
                    models.CharField(blank=True, help_text="What the provider said of the payment.", max_length=64),
                ),
                ("done", models.TextField(blank=True, help_text="What was done about it.")),
                ("error", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["payment", "number"],
            },
        ),
        migrations.CreateModel(
            name="Pace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=32)),
                ("account", models.CharField(blank=True, max_length=64)),
                ("minute", models.DateTimeField()),
                ("calls", models.PositiveIntegerField(default=0)),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, help_text="Calls in a row that brought no answer."),
                ),
                ("paused_until", models.DateTimeField(blank=True, null=True)),
                ("paused_because", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.RemoveIndex(
            model_name="payment",
            name="payment_not_final_age",
        ),
        migrations.AddField(
            model_name="payment",
            name="look_after",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="The provider is asked how it stands RECONCILE_AFTER_SECONDS after this. Empty: nothing is open.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("look_after__isnull", False)), fields=["look_after"], name="payment_to_look_at"
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["changed_at"], name="refund_changed"),
        ),
        migrations.AddField(
            model_name="attempt",
            name="payment",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="payments.payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="pace",
            constraint=models.UniqueConstraint(fields=("provider", "account"), name="pace_once"),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(fields=("payment", "number"), name="attempt_numbered_once"),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("result__in", ["running", "in_step", "applied", "recovered", "released", "failed"])
                ),
                name="attempt_result_known",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
