"""How each event was verified. Of those that were applied before this was kept, only that they were is known."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0007_backoffice_at_scale"),
        ("webhooks", "0004_backoffice_at_scale"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="endpoint",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The account whose endpoint was called, or for which the provider was read. Empty: the platform's.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="proven_account",
            field=models.CharField(
                blank=True,
                help_text="The account that it was verified for. NULL: it never was.",
                max_length=64,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="secret_name",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The name of the secret that verified it, or of the key that it was read with.",
                max_length=120,
            ),
        ),
        migrations.RunSQL(
            "UPDATE webhooks_event SET proven_account = account, secret_name = 'not recorded' WHERE status = 'applied'",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("proven_account", None),
                    models.Q(
                        ("endpoint__in", ("", models.F("account"))),
                        ("proven_account", models.F("account")),
                        models.Q(("secret_name", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="event_proven_for_its_account",
            ),
        ),
    ]
