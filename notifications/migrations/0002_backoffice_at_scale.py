"""What lists, filters and searches of the backoffice need on large tables."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0005_backoffice_at_scale"),
        ("notifications", "0001_initial"),
        ("payments", "0007_backoffice_at_scale"),
        ("tenants", "0004_roles"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                condition=models.Q(("status", "sent"), _negated=True), fields=["status", "-id"], name="mail_not_sent"
            ),
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(fields=["kind", "-id"], name="mail_kind_newest"),
        ),
    ]
