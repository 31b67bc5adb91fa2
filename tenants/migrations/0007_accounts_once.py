"""An account at Stripe, and the name of a key, are of one operator."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0006_staff_log"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="operator",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stripe_account", ""), _negated=True),
                fields=("stripe_account",),
                name="operator_account_once",
                violation_error_message="Another operator has this Stripe account; an account is of one operator.",
            ),
        ),
        migrations.AddConstraint(
            model_name="operator",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stripe_secret", ""), _negated=True),
                fields=("stripe_secret",),
                name="operator_secret_once",
                violation_error_message="Another operator's Stripe key has this name; a key is of one account.",
            ),
        ),
        migrations.AddConstraint(
            model_name="operator",
            constraint=models.CheckConstraint(
                condition=models.Q(("stripe_secret", "STRIPE"), _negated=True),
                name="operator_secret_is_not_the_platforms",
                violation_error_message="STRIPE names the platform's own key.",
            ),
        ),
    ]
