"""Accounts, payments, commands, refunds, disputes and their histories. The guards come after it."""

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models

import common.ids

# Movements of money as one list.
VIEW = """
CREATE VIEW payments_transaction AS
SELECT p.id, p.operator_id, p.id AS payment_id, 'charge' AS kind,
       CASE WHEN p.status = 'succeeded' AND p.amount_refunded = p.amount_captured THEN 'refunded'
            WHEN p.status = 'succeeded' THEN 'successful'
            WHEN p.status IN ('failed', 'canceled') THEN 'failed'
            WHEN p.stuck_at IS NOT NULL THEN 'stuck'
            ELSE 'pending' END AS status,
       CASE WHEN p.amount_captured > 0 THEN p.amount_captured ELSE p.amount END AS amount,
       p.currency, p.provider, p.provider_ref, p.created_at
FROM payments_payment p
UNION ALL
SELECT r.id, r.operator_id, r.payment_id, 'refund' AS kind,
       CASE r.status WHEN 'succeeded' THEN 'successful' WHEN 'pending' THEN 'pending' ELSE 'failed' END AS status,
       r.amount, p.currency, p.provider, r.provider_ref, r.created_at
FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="Transaction",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("charge", "Charge"), ("refund", "Refund")], max_length=8)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("successful", "Successful"),
                            ("failed", "Failed"),
                            ("stuck", "Stuck"),
                            ("refunded", "Refunded"),
                        ],
                        max_length=16,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("provider", models.CharField(max_length=32)),
                ("provider_ref", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "payments_transaction",
                "ordering": ["-id"],
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=32)),
                (
                    "provider_account",
                    models.CharField(blank=True, help_text="Empty: the platform's own account.", max_length=64),
                ),
                (
                    "provider_ref",
                    models.CharField(blank=True, help_text="The provider's id, such as pi_…", max_length=255),
                ),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "capture_method",
                    models.CharField(choices=[("manual", "Manual"), ("automatic", "Automatic")], max_length=16),
                ),
                ("payment_method_id", models.CharField(blank=True, max_length=255)),
                (
                    "customer_id",
                    models.CharField(blank=True, help_text="The caller's own name for who pays.", max_length=255),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "managed_by",
                    models.CharField(
                        blank=True,
                        help_text="What drives it, such as reservation. Empty: the payments API itself.",
                        max_length=32,
                    ),
                ),
                (
                    "managed_id",
                    models.UUIDField(
                        blank=True,
                        editable=False,
                        help_text="The row that drives it; no foreign key, since payments knows nothing of what is above it.",
                        null=True,
                    ),
                ),
                (
                    "status",
                    models.CharField(
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
                ("client_secret", models.CharField(blank=True, max_length=255)),
                ("next_action", models.JSONField(blank=True, null=True)),
                ("failure_code", models.CharField(blank=True, max_length=100)),
                ("failure_message", models.TextField(blank=True)),
                ("amount_captured", models.BigIntegerField(default=0)),
                ("amount_refunding", models.BigIntegerField(default=0, help_text="Asked for, and not settled yet.")),
                ("amount_refunded", models.BigIntegerField(default=0)),
                ("auth_code", models.CharField(blank=True, help_text="The bank's word for its yes.", max_length=64)),
                ("receipt_url", models.URLField(blank=True, max_length=1000)),
                ("held_at", models.DateTimeField(blank=True, null=True)),
                (
                    "capture_before",
                    models.DateTimeField(blank=True, help_text="The provider voids the hold then.", null=True),
                ),
                (
                    "captured_event_id",
                    models.UUIDField(
                        blank=True,
                        help_text="The authenticated event that is the evidence for the captured money.",
                        null=True,
                    ),
                ),
                ("stuck_at", models.DateTimeField(blank=True, help_text="Since then a person is needed.", null=True)),
                ("stuck_because", models.TextField(blank=True)),
                (
                    "next_check_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="The provider is asked how it stands RECONCILE_AFTER_SECONDS after this. Empty: nothing is open.",
                        null=True,
                    ),
                ),
                (
                    "as_of",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="When it came to stand so: the provider's time, if it says one.",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("changed_by", models.CharField(max_length=200)),
                ("changed_because", models.TextField(blank=True)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.operator",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider_ref", models.CharField(max_length=255)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(blank=True, max_length=100)),
                (
                    "status",
                    models.CharField(help_text="The provider's own word, since its list is open.", max_length=64),
                ),
                ("is_closed", models.BooleanField(default=False)),
                ("respond_by", models.DateTimeField(blank=True, null=True)),
                (
                    "as_of",
                    models.DateTimeField(help_text="The time of the event that said so; an older one changes nothing."),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.operator",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="payments.payment"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="CheckAttempt",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, help_text="How many have failed in a row, with this one."),
                ),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("in_step", "In Step"),
                            ("applied", "Applied"),
                            ("recovered", "Recovered"),
                            ("released", "Released"),
                            ("failed", "Failed"),
                        ],
                        default="running",
                        max_length=16,
                    ),
                ),
                (
                    "provider_status",
                    models.CharField(blank=True, help_text="What the provider said of the payment.", max_length=64),
                ),
                ("done", models.TextField(blank=True, help_text="What was done about it.")),
                ("error", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="check_attempts",
                        to="payments.payment",
                    ),
                ),
            ],
            options={
                "ordering": ["payment", "number"],
            },
        ),
        migrations.CreateModel(
            name="PaymentHistory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("from_status", models.CharField(blank=True, max_length=32)),
                ("to_status", models.CharField(max_length=32)),
                ("actor", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="history", to="payments.payment"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "payment history",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ProviderAccount",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("provider", models.CharField(max_length=32)),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        help_text="The provider's id of the account. Empty: the platform's own account.",
                        max_length=64,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Za-z0-9_-]+\\Z", "The provider's id of an account: letters, digits, _ and -."
                            )
                        ],
                    ),
                ),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], max_length=8)),
                (
                    "secret_name",
                    models.CharField(
                        blank=True,
                        help_text="The variable that holds the account's own key. Empty: it is called with the platform's key.",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Z][A-Z0-9_]*\\Z", "The name of a variable, such as KAYAKS_API_KEY."
                            )
                        ],
                        verbose_name="name of its key",
                    ),
                ),
                (
                    "webhook_secrets_name",
                    models.CharField(
                        blank=True,
                        help_text="The variable that holds the secrets of its own webhook. Empty: the platform's secrets.",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Z][A-Z0-9_]*\\Z", "The name of a variable, such as KAYAKS_API_KEY."
                            )
                        ],
                        verbose_name="name of its webhook secrets",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="One account of each provider does. The others are still refunded from, heard and reconciled.",
                        verbose_name="takes new sales",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="provider_accounts",
                        to="tenants.operator",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ProviderThrottle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=32)),
                ("account", models.CharField(blank=True, max_length=64)),
                ("minute", models.DateTimeField()),
                ("calls", models.PositiveIntegerField(default=0)),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, help_text="Calls in a row that brought no answer."),
                ),
                ("paused_until", models.DateTimeField(blank=True, null=True)),
                ("paused_because", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("provider", "account"), name="provider_throttle_once")],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("amount", models.BigIntegerField()),
                ("reason", models.CharField(blank=True, max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("canceled", "Canceled"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("provider_ref", models.CharField(blank=True, max_length=255)),
                (
                    "failure_code",
                    models.CharField(blank=True, help_text="Of one on its way: why it hangs.", max_length=100),
                ),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("requested_by", models.CharField(max_length=200)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.operator",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="payments.payment"
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        help_text="The refund that failed, in whose place this one was asked for.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="payments.refund",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Command",
            fields=[
                (
                    "attempts",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="How often it was claimed. Only grows: it is the number of the latest claim.",
                    ),
                ),
                (
                    "extra_attempts",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Attempts beyond those of a round: one for each that came too fast, a round for each by staff.",
                    ),
                ),
                (
                    "next_attempt_at",
                    models.DateTimeField(blank=True, help_text="Empty: nobody will try it again.", null=True),
                ),
                (
                    "leased_until",
                    models.DateTimeField(blank=True, help_text="Until then a sender is taken to be alive.", null=True),
                ),
                (
                    "leased_by",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The sender's process, by host, boot and pid.",
                        max_length=255,
                    ),
                ),
                ("last_error", models.TextField(blank=True)),
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("create", "Create"),
                            ("confirm", "Confirm"),
                            ("authorize", "Authorize"),
                            ("charge", "Charge"),
                            ("capture", "Capture"),
                            ("cancel", "Cancel"),
                            ("refund", "Refund"),
                        ],
                        max_length=16,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("parameters", models.JSONField(default=dict, help_text="What is sent, frozen before the first call.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("sent", "Sent"),
                            ("unknown", "Unknown"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                        ],
                        default="requested",
                        max_length=16,
                    ),
                ),
                (
                    "turned_away",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Attempts that the provider did not take, so that nothing came of them.",
                    ),
                ),
                (
                    "answer_saved",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="The provider keeps an answer under the key that says nothing: read first, then use another key.",
                    ),
                ),
                ("provider_request_id", models.CharField(blank=True, max_length=255)),
                ("requested_by", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("first_sent_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="commands", to="payments.payment"
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commands",
                        to="payments.refund",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RefundHistory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("from_status", models.CharField(blank=True, max_length=16)),
                ("to_status", models.CharField(max_length=16)),
                ("amount", models.BigIntegerField()),
                ("failure_code", models.CharField(blank=True, max_length=100)),
                (
                    "refund",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="history", to="payments.refund"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "refund history",
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["operator", "-id"], name="payment_operator_newest"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["status", "-id"], name="payment_status_newest"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("next_check_at__isnull", False)), fields=["next_check_at"], name="payment_to_check"
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("managed_id__isnull", False)), fields=["managed_id"], name="payment_managed"
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("stuck_at__isnull", False)), fields=["stuck_at"], name="payment_stuck"
            ),
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
            model_name="payment",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="payment_amount_positive"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_captured__gte", 0), ("amount_captured__lte", models.F("amount"))),
                name="payment_captured_in_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_refunded__gte", 0),
                    ("amount_refunding__gte", 0),
                    (
                        "amount_captured__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("amount_refunded"), "+", models.F("amount_refunding")
                        ),
                    ),
                ),
                name="payment_refunds_in_captured",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("captured_event_id__isnull", False),
                    models.Q(("amount_captured", 0), models.Q(("status", "succeeded"), _negated=True)),
                    _connector="OR",
                ),
                name="payment_captured_has_event",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "succeeded"), _negated=True), ("amount_captured__gt", 0), _connector="OR"
                ),
                name="payment_succeeded_has_money",
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
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("managed_by", ""), ("managed_id", None)),
                    models.Q(models.Q(("managed_by", ""), _negated=True), ("managed_id__isnull", False)),
                    _connector="OR",
                ),
                name="payment_managed_by_a_row",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("managed_id__isnull", False),
                    models.Q(("status__in", ["canceled", "failed", "succeeded"]), _negated=True),
                ),
                fields=("managed_id",),
                name="payment_live_once",
            ),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["operator", "-id"], name="dispute_operator_newest"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.UniqueConstraint(fields=("provider_ref", "payment"), name="dispute_once"),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0)), name="dispute_amount_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="checkattempt",
            constraint=models.UniqueConstraint(fields=("payment", "number"), name="check_attempt_numbered_once"),
        ),
        migrations.AddConstraint(
            model_name="checkattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("result__in", ["running", "in_step", "applied", "recovered", "released", "failed"])
                ),
                name="check_attempt_result_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="provideraccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reference", ""), _negated=True),
                fields=("provider", "reference"),
                name="account_once",
                violation_error_message="This account is registered already; an account is of one operator.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provideraccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reference", "")),
                fields=("operator", "provider"),
                name="account_of_the_platform_once",
                violation_error_message="The operator has the platform's account at this provider already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provideraccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=("operator", "provider"),
                name="account_takes_sales_once",
                violation_error_message="One account of a provider takes new sales: switch the other one off first.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provideraccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("secret_name", ""), _negated=True),
                fields=("secret_name",),
                name="account_key_once",
                violation_error_message="Another account's key has this name; a key is of one account.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provideraccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("webhook_secrets_name", ""), _negated=True),
                fields=("webhook_secrets_name",),
                name="account_webhook_secrets_once",
                violation_error_message="Another account's webhook secrets have this name; they are of one account.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provideraccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["live", "test"])), name="account_mode_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="provideraccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("secret_name", ""), models.Q(("reference", ""), _negated=True), _connector="OR"),
                name="account_key_is_of_a_named_account",
                violation_error_message="An account with a key of its own must be named.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provideraccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("webhook_secrets_name", ""), models.Q(("secret_name", ""), _negated=True), _connector="OR"
                ),
                name="account_webhook_secrets_have_a_key",
                violation_error_message="An account with webhook secrets of its own needs a key of its own.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provideraccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "secret_name",
                            django.db.models.functions.text.Concat(
                                django.db.models.functions.text.Upper(models.F("provider")), models.Value("_API_KEY")
                            ),
                        ),
                        _negated=True,
                    ),
                    models.Q(
                        (
                            "webhook_secrets_name",
                            django.db.models.functions.text.Concat(
                                django.db.models.functions.text.Upper(models.F("provider")),
                                models.Value("_WEBHOOK_SECRETS"),
                            ),
                        ),
                        _negated=True,
                    ),
                ),
                name="account_secret_is_not_the_platforms",
                violation_error_message="This names the platform's own secret.",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["operator", "-id"], name="refund_operator_newest"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["status", "-id"], name="refund_status_newest"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["changed_at"], name="refund_changed"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="refund_amount_positive"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "succeeded", "failed", "canceled"])),
                name="refund_status_known",
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
        migrations.AddIndex(
            model_name="command",
            index=models.Index(
                condition=models.Q(("status__in", ["requested", "sent", "unknown"])),
                fields=["next_attempt_at"],
                name="command_due",
            ),
        ),
        migrations.AddIndex(
            model_name="command",
            index=models.Index(
                condition=models.Q(("status", "done"), _negated=True), fields=["status", "-id"], name="command_not_done"
            ),
        ),
        migrations.AddConstraint(
            model_name="command",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("status__in", ["requested", "sent", "unknown"]), models.Q(("kind", "refund"), _negated=True)
                ),
                fields=("payment", "kind"),
                name="command_open_once_per_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="command",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["requested", "sent", "unknown", "done", "refused"])),
                name="command_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="command",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="command_amount_positive"),
        ),
        migrations.RunSQL(VIEW, "DROP VIEW payments_transaction"),
        # Changes: places held beside those of a reservation.
        migrations.RemoveConstraint(
            model_name="payment",
            name="payment_live_once",
        ),
        migrations.AddField(
            model_name="payment",
            name="managed_part",
            field=models.UUIDField(
                blank=True,
                editable=False,
                help_text="The part of that row that it pays, such as one change of it.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("managed_part__isnull", True), ("managed_id__isnull", False), _connector="OR"),
                name="payment_part_of_a_row",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                django.db.models.functions.comparison.Coalesce("managed_part", "managed_id"),
                condition=models.Q(
                    ("managed_id__isnull", False),
                    models.Q(("status__in", ["canceled", "failed", "succeeded"]), _negated=True),
                ),
                name="payment_live_once",
            ),
        ),
    ]
