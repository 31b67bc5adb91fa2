"""Two kinds more: a part of the money was captured; money that is owed to a guest has not reached them."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("payments", "0011_guard_of_payment_states"),
        ("reconciliation", "0002_backoffice_at_scale"),
        ("tenants", "0005_identity_and_bulk_runs"),
    ]

    operations: ClassVar = [
        migrations.RemoveConstraint(
            model_name="discrepancy",
            name="discrepancy_kind_known",
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="kind",
            field=models.CharField(
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
                    ("foreign_hold", "foreign hold: held there, and not of this installation"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="discrepancy",
            constraint=models.CheckConstraint(
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
                            "foreign_hold",
                        ],
                    )
                ),
                name="discrepancy_kind_known",
            ),
        ),
    ]
