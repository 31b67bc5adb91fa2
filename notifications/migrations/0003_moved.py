"""A mail tells a guest that the booking has moved."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0006_moves"),
        ("notifications", "0002_backoffice_at_scale"),
        ("payments", "0007_backoffice_at_scale"),
        ("tenants", "0004_roles"),
    ]

    operations = [
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
