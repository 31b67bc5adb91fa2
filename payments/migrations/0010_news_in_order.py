"""When a payment came to stand as it stands, and the status that asks for another payment method."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Generated."""

    dependencies: ClassVar = [
        ("payments", "0009_facts_of_commands_only_grow"),
        ("tenants", "0005_identity_and_bulk_runs"),
    ]

    operations: ClassVar = [
        migrations.RemoveConstraint(
            model_name="payment",
            name="payment_status_known",
        ),
        migrations.AddField(
            model_name="payment",
            name="as_of",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When it came to stand so: the provider's time, if it says one.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="status",
            field=models.CharField(
                choices=[
                    ("requires_confirmation", "Requires Confirmation"),
                    ("requires_payment_method", "Requires Payment Method"),
                    ("processing", "Processing"),
                    ("requires_action", "Requires Action"),
                    ("on_hold", "On Hold"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                    ("canceled", "Canceled"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "requires_confirmation",
                            "requires_payment_method",
                            "processing",
                            "requires_action",
                            "on_hold",
                            "succeeded",
                            "failed",
                            "canceled",
                        ],
                    )
                ),
                name="payment_status_known",
            ),
        ),
    ]
