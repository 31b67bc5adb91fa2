"""What lists, filters and searches of the backoffice need on large tables."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0006_one_index_of_the_operator"),
        ("tenants", "0004_roles"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="dispute",
            name="dispute_once",
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payment_provider_ref_once",
        ),
        migrations.RemoveConstraint(
            model_name="refund",
            name="refund_provider_ref_once",
        ),
        migrations.AddIndex(
            model_name="command",
            index=models.Index(
                condition=models.Q(("status", "done"), _negated=True), fields=["status", "-id"], name="command_not_done"
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["status", "-id"], name="payment_status_newest"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["status", "-id"], name="refund_status_newest"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(fields=("provider_ref", "payment"), name="dispute_once"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("provider_ref", ""), _negated=True),
                fields=("provider_ref", "provider", "provider_account"),
                name="payment_provider_ref_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                condition=models.Q(("provider_ref", ""), _negated=True),
                fields=("provider_ref", "payment"),
                name="refund_provider_ref_once",
            ),
        ),
    ]
