"""A mail more: a part of the money was captured, and is returned."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("booking", "0013_part_of_the_money"),
        ("notifications", "0003_moved"),
        ("payments", "0011_guard_of_payment_states"),
        ("tenants", "0005_identity_and_bulk_runs"),
    ]

    operations: ClassVar = [
        migrations.RemoveConstraint(
            model_name="mail",
            name="mail_kind_known",
        ),
        migrations.AlterField(
            model_name="mail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("paid", "Paid"),
                    ("failed", "Failed"),
                    ("expired", "Expired"),
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
        migrations.AddConstraint(
            model_name="mail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "paid",
                            "failed",
                            "expired",
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
        ),
    ]
