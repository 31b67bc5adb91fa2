"""Operators, their people and their API clients."""

import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import common.ids
import tenants.models

# Where requests are counted for the rate limits; not logged, so that counting costs no write-ahead log.
REQUEST_COUNTS = """
CREATE UNLOGGED TABLE tenants_requestcount (
    who text PRIMARY KEY,
    requests integer NOT NULL,
    ends_at timestamptz NOT NULL
) WITH (fillfactor = 50);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "cognito_sub",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="Who the person is in the Cognito user pool; empty: somebody with a password alone.",
                        max_length=64,
                        null=True,
                        unique=True,
                        verbose_name="Cognito sub",
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "person",
                "verbose_name_plural": "people",
                "abstract": False,
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="Operator",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("slug", models.SlugField(max_length=80, unique=True)),
                (
                    "timezone",
                    models.CharField(default="UTC", max_length=64, validators=[tenants.models.time_zone_name]),
                ),
                ("currency", models.CharField(max_length=3, validators=[tenants.models.currency_code])),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("es", "Spanish"), ("pt", "Portuguese")],
                        default="en",
                        help_text="Of mails to the staff, and to guests who have not said theirs.",
                        max_length=2,
                    ),
                ),
                (
                    "cognito_client_id",
                    models.CharField(
                        blank=True,
                        help_text="The app client of the operator's own frontend: its people are this operator's customers.",
                        max_length=128,
                        null=True,
                        unique=True,
                    ),
                ),
                (
                    "hold_ttl_seconds",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Seconds, up to HOLD_CEILING_SECONDS. Empty: the installation's HOLD_TTL_SECONDS.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1), tenants.models.hold_seconds],
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("hold_ttl_seconds", None), ("hold_ttl_seconds__gte", 1), _connector="OR"),
                        name="operator_hold_lives",
                        violation_error_message="A hold lives a second at least.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["en", "es", "pt"])),
                        name="operator_language_known",
                        violation_error_message="Mails are written in no such language.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SignInPlace",
            fields=[
                (
                    "mark",
                    models.CharField(
                        help_text="A keyed hash of both.", max_length=64, primary_key=True, serialize=False
                    ),
                ),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["last_at"], name="sign_in_place_age")],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("manager", "Manager"),
                            ("agent", "Agent"),
                            ("read_only", "Read-only"),
                        ],
                        default="agent",
                        max_length=16,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="members", to="tenants.operator"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "operator"), name="member_once_per_operator"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "manager", "agent", "read_only"])),
                        name="member_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiClient",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                (
                    "key_prefix",
                    models.CharField(
                        blank=True, editable=False, help_text="The start of the key, to tell keys apart.", max_length=16
                    ),
                ),
                ("key_hash", models.CharField(editable=False, max_length=64, null=True, unique=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("read", "Read"),
                                ("book", "Book"),
                                ("refund", "Refund"),
                                ("sell", "Sell"),
                                ("collect", "Collect"),
                            ],
                            max_length=16,
                        ),
                        size=None,
                    ),
                ),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        help_text="Who calls by an ID token; such a client has no key, and may do what the person may.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="api_clients", to="tenants.operator"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("scopes__contained_by", ["read", "book", "refund", "sell", "collect"])),
                        name="api_client_scopes_known",
                    ),
                    models.UniqueConstraint(fields=("person", "operator"), name="api_client_once_for_a_person"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("key_hash__isnull", False), ("person", None)),
                            models.Q(("key_hash", None), ("person__isnull", False)),
                            _connector="OR",
                        ),
                        name="api_client_key_or_person",
                    ),
                ],
            },
        ),
        migrations.RunSQL(REQUEST_COUNTS, "DROP TABLE tenants_requestcount"),
    ]
