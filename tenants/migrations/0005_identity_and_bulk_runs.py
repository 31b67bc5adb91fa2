"""People of Cognito, own Stripe accounts, actions on many rows, and lists to be found again."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0004_roles"),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkRun",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("model", models.CharField(max_length=100)),
                ("action", models.CharField(max_length=100)),
                ("title", models.CharField(max_length=200)),
                ("reason", models.TextField()),
                ("given", models.TextField(blank=True, help_text="What the form was given, as it was posted.")),
                (
                    "rows",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), size=None),
                ),
                ("begun", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("refusals", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("model", models.CharField(max_length=100)),
                ("name", models.CharField(max_length=60)),
                ("query", models.CharField(max_length=1000)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="apiclient",
            name="person",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                help_text="Who calls by an ID token; such a client has no key, and may do what the person may.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="operator",
            name="cognito_client_id",
            field=models.CharField(
                blank=True,
                help_text="The app client of the operator's own frontend: its people are this operator's customers.",
                max_length=128,
                null=True,
                unique=True,
            ),
        ),
        migrations.AddField(
            model_name="operator",
            name="stripe_secret",
            field=models.CharField(
                blank=True,
                help_text="The name of the secret that holds this operator's own Stripe key; empty: the platform's key.",
                max_length=100,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[A-Z][A-Z0-9_]*\\Z", "The name of a variable, such as STRIPE_API_KEY_KAYAKS."
                    )
                ],
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="cognito_sub",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="Who the person is in the Cognito user pool; empty: somebody with a password alone.",
                max_length=64,
                null=True,
                unique=True,
                verbose_name="Cognito sub",
            ),
        ),
        migrations.AlterField(
            model_name="apiclient",
            name="key_hash",
            field=models.CharField(editable=False, max_length=64, null=True, unique=True),
        ),
        migrations.AlterField(
            model_name="apiclient",
            name="key_prefix",
            field=models.CharField(
                blank=True, editable=False, help_text="The start of the key, to tell keys apart.", max_length=16
            ),
        ),
        migrations.AddConstraint(
            model_name="apiclient",
            constraint=models.UniqueConstraint(fields=("person", "operator"), name="api_client_once_for_a_person"),
        ),
        migrations.AddConstraint(
            model_name="apiclient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("key_hash__isnull", False), ("person", None)),
                    models.Q(("key_hash", None), ("person__isnull", False)),
                    _connector="OR",
                ),
                name="api_client_key_or_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="operator",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("stripe_secret", ""), models.Q(("stripe_account", ""), _negated=True), _connector="OR"
                ),
                name="operator_secret_is_of_an_account",
            ),
        ),
        migrations.AddField(
            model_name="bulkrun",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="saved_views", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrun",
            index=models.Index(
                condition=models.Q(("finished_at", None)), fields=["leased_until"], name="bulk_run_unfinished"
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("done__lte", models.F("begun"))), name="bulk_run_done_was_begun"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(fields=("person", "model", "name"), name="saved_view_named_once"),
        ),
    ]
