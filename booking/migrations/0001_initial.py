"""Reservations: what is sold to whom. The guards come after it."""

import django.contrib.postgres.constraints
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

import booking.fields
import catalogue.plans
import common.ids
import tenants.models

# Without accents and in lower case, split at everything that is no letter or digit, so that João is found by joao and a
# mail address by any part of it. Immutable, as an index needs: it depends on nothing but what it is given.
WORDS = r"""
CREATE FUNCTION booking_words(reference text, name text, email text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL ON NULL INPUT
RETURN to_tsvector(
    'simple'::regconfig,
    regexp_replace(
        lower(regexp_replace(normalize(reference || ' ' || name || ' ' || email, NFKD), '[\u0300-\u036f]', '', 'g')),
        '[^[:alnum:]]+', ' ', 'g'
    )
);
"""

# PostgreSQL has ranges of many types, and none of UUIDs: by such a one, GiST compares them without an extension.
RANGE = "CREATE TYPE uuidrange AS RANGE (subtype = uuid)"


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalogue", "0002_guards"),
        ("payments", "0002_guards"),
        ("tenants", "0002_guards"),
    ]

    operations = [
        migrations.RunSQL(WORDS, "DROP FUNCTION booking_words(text, text, text)"),
        migrations.RunSQL(RANGE, "DROP TYPE uuidrange"),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("reference", models.CharField(default=common.ids.new_reference, editable=False, max_length=12)),
                (
                    "day",
                    models.DateField(
                        blank=True, help_text="The local day of a whole activity; empty: a departure.", null=True
                    ),
                ),
                ("starts_at", models.DateTimeField(help_text="As it was sold: of the departure, or of the day.")),
                ("ends_at", models.DateTimeField()),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        db_default=1, default=1, help_text="Payments that were begun for it."
                    ),
                ),
                (
                    "pay_by",
                    models.CharField(
                        choices=[("provider", "Provider"), ("on_arrival", "On Arrival"), ("account", "Account")],
                        db_default="provider",
                        default="provider",
                        max_length=12,
                    ),
                ),
                (
                    "replacing",
                    models.UUIDField(
                        blank=True,
                        editable=False,
                        help_text="The attempt that was given up for another one.",
                        null=True,
                    ),
                ),
                (
                    "on_decline",
                    models.CharField(
                        choices=[("release", "Release"), ("keep", "Keep")],
                        db_default="release",
                        default="release",
                        help_text="Whether a hold outlives a declined card.",
                        max_length=10,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("awaiting_payment", "Awaiting Payment"),
                            ("pending", "Pending"),
                            ("confirmed", "Confirmed"),
                            ("paid", "Paid"),
                            ("expired", "Expired"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Failed"),
                            ("refunded", "Refunded"),
                        ],
                        max_length=20,
                    ),
                ),
                ("exclusive", models.BooleanField(help_text="Whether the activity was exclusive when it was sold.")),
                ("places", models.PositiveIntegerField()),
                ("amount", models.BigIntegerField(help_text="What was sold.")),
                ("amount_owed", models.BigIntegerField(help_text="All that has to be paid for it, by now.")),
                (
                    "amount_proven",
                    models.BigIntegerField(
                        default=0,
                        help_text="What providers' events prove: captured less given back, of all its payments.",
                    ),
                ),
                (
                    "amount_collected",
                    models.BigIntegerField(
                        db_default=0,
                        default=0,
                        help_text="What receipts come to: cash and the like, and what stands on an account.",
                    ),
                ),
                (
                    "schedule",
                    models.JSONField(
                        db_default=models.Value([{"by": None, "target": None}], output_field=models.JSONField()),
                        default=catalogue.plans.full,
                        help_text="What has to be paid in all, and by when; as it was sold.",
                    ),
                ),
                ("next_due_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "terms",
                    models.JSONField(
                        blank=True, help_text="The rules of a cancellation, as they were sold.", null=True
                    ),
                ),
                (
                    "terms_stage",
                    models.PositiveSmallIntegerField(
                        db_default=0,
                        default=0,
                        editable=False,
                        help_text="The worst rule that was reached before it was moved.",
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("customer_name", models.CharField(max_length=200)),
                ("customer_email", models.EmailField(max_length=254)),
                ("customer_reference", models.CharField(blank=True, max_length=200)),
                (
                    "customer_language",
                    models.CharField(
                        blank=True,
                        choices=[("en", "English"), ("es", "Spanish"), ("pt", "Portuguese")],
                        help_text="Empty: the operator's.",
                        max_length=2,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("changed_by", models.CharField(max_length=200)),
                ("changed_because", models.TextField(blank=True)),
                (
                    "activity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reservations",
                        to="catalogue.activity",
                    ),
                ),
                (
                    "api_client",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.apiclient"
                    ),
                ),
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
                        blank=True,
                        db_index=False,
                        help_text="The live attempt; else the last that took money; else the last. Empty: none was begun.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payments.payment",
                    ),
                ),
                (
                    "slot",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reservations",
                        to="catalogue.slot",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Occupancy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "activity_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func("activity_id", "activity_id", models.Value("[]"), function="uuidrange"),
                        output_field=booking.fields.UuidRangeField(),
                    ),
                ),
                ("during", booking.fields.MultirangeField()),
                (
                    "activity",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.activity",
                    ),
                ),
                (
                    "reservation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="occupancies",
                        to="booking.reservation",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="History",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("from_status", models.CharField(blank=True, max_length=20)),
                ("to_status", models.CharField(max_length=20)),
                ("actor", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True)),
                (
                    "moved_from",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The departure that it was moved from; empty: it was not moved.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalogue.slot",
                    ),
                ),
                (
                    "reservation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="history", to="booking.reservation"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "history",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Till",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("currency", models.CharField(max_length=3, validators=[tenants.models.currency_code])),
                ("amount_opened", models.BigIntegerField(default=0, help_text="In it at first.")),
                ("opened_at", models.DateTimeField()),
                ("opened_by", models.CharField(max_length=200)),
                (
                    "amount_expected",
                    models.BigIntegerField(blank=True, help_text="By its receipts, when it was counted.", null=True),
                ),
                ("amount_counted", models.BigIntegerField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_by", models.CharField(blank=True, max_length=200)),
                ("closed_because", models.TextField(blank=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tills", to="tenants.operator"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("cash", "Cash"),
                            ("terminal", "Terminal"),
                            ("transfer", "Transfer"),
                            ("voucher", "Voucher"),
                            ("account", "Account"),
                        ],
                        max_length=12,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                (
                    "reference",
                    models.CharField(blank=True, help_text="Such as the number of a terminal's slip.", max_length=200),
                ),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True)),
                (
                    "approved_at",
                    models.DateTimeField(blank=True, help_text="Empty: it waits for a second person.", null=True),
                ),
                ("approved_by", models.CharField(blank=True, max_length=200)),
                (
                    "declined_at",
                    models.DateTimeField(blank=True, help_text="A second person did not approve it.", null=True),
                ),
                (
                    "corrects",
                    models.OneToOneField(
                        blank=True,
                        help_text="The receipt that it takes back.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_by",
                        to="booking.receipt",
                    ),
                ),
                (
                    "reservation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="receipts", to="booking.reservation"
                    ),
                ),
                (
                    "till",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="booking.till",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Unit",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("unit", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=100)),
                ("amount", models.BigIntegerField()),
                (
                    "reservation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="units", to="booking.reservation"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("extra", "extra"),
                            ("fee", "fee"),
                            ("discount", "discount"),
                            ("withdrawal", "taken back"),
                            ("unit", "place given back"),
                            ("goodwill", "goodwill"),
                            ("reversal", "goodwill taken back"),
                            ("end", "end"),
                        ],
                        max_length=20,
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="Added to what is owed; less than nothing lowers it.")),
                (
                    "name",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="What it is, as the guest reads it.",
                        max_length=200,
                    ),
                ),
                (
                    "keeps_places",
                    models.BooleanField(default=False, help_text="The guest keeps the places when all money is back."),
                ),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True)),
                (
                    "refund",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The refund that it is of.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payments.refund",
                    ),
                ),
                (
                    "withdraws",
                    models.OneToOneField(
                        blank=True,
                        help_text="The adjustment that it takes back.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawn_by",
                        to="booking.adjustment",
                    ),
                ),
                (
                    "reservation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="booking.reservation",
                    ),
                ),
                (
                    "unit",
                    models.OneToOneField(
                        blank=True,
                        help_text="The place given back.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="booking.unit",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(fields=["operator", "-id"], name="reservation_operator_newest"),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(fields=["status", "-id"], name="reservation_status_newest"),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("paid_at__isnull", False)), fields=["operator", "paid_at"], name="reservation_paid"
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=django.contrib.postgres.indexes.GinIndex(
                models.Func("reference", "customer_name", "customer_email", function="booking_words"),
                name="reservation_words",
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("status__in", ["awaiting_payment", "pending"])),
                fields=["expires_at"],
                name="reservation_due",
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("status__in", ["awaiting_payment", "pending"])),
                fields=["slot", "expires_at"],
                name="reservation_slot_due",
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(fields=["slot"], name="reservation_slot"),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("next_due_at__isnull", False)), fields=["next_due_at"], name="reservation_next_due"
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("status__in", ["awaiting_payment", "pending"])),
                fields=["api_client", "expires_at"],
                name="reservation_client_holds",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.UniqueConstraint(fields=("operator", "reference"), name="reservation_reference_once"),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(condition=models.Q(("places__gt", 0)), name="reservation_has_places"),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("on_decline__in", ["release", "keep"])), name="reservation_on_decline_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("pay_by__in", ["provider", "on_arrival", "account"])),
                name="reservation_pay_by_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("attempts", 0), ("payment__isnull", True)),
                    models.Q(("attempts__gt", 0), ("payment__isnull", False)),
                    _connector="OR",
                ),
                name="reservation_shows_a_payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0), ("amount_owed__gte", 0), ("amount_proven__gte", 0)),
                name="reservation_amounts_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["awaiting_payment", "confirmed", "paid", "pending"]), _negated=True),
                    models.Q(
                        ("amount_proven__gt", 0), ("amount_proven__gte", models.F("amount_owed")), ("status", "paid")
                    ),
                    models.Q(
                        models.Q(("status", "paid"), _negated=True),
                        models.Q(("amount_proven", 0), ("amount_proven__lt", models.F("amount_owed")), _connector="OR"),
                    ),
                    _connector="OR",
                ),
                name="reservation_paid_is_proven",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["awaiting_payment", "pending"]), _negated=True),
                    models.Q(("amount_collected", 0), ("amount_proven", 0)),
                    _connector="OR",
                ),
                name="reservation_hold_has_no_money",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["expired", "failed", "refunded"]), _negated=True),
                    ("amount_owed", 0),
                    _connector="OR",
                ),
                name="reservation_over_owes_nothing",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "awaiting_payment",
                            "pending",
                            "confirmed",
                            "paid",
                            "expired",
                            "cancelled",
                            "failed",
                            "refunded",
                        ],
                    )
                ),
                name="reservation_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("slot__isnull", False), ("exclusive", True), _connector="OR"),
                name="reservation_whole_activity_is_exclusive",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("day__isnull", True), ("slot__isnull", False)),
                    models.Q(("day__isnull", False), ("slot__isnull", True)),
                    _connector="OR",
                ),
                name="reservation_of_a_departure_or_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="reservation_ends_after_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["awaiting_payment", "pending"]), _negated=True),
                    ("expires_at__isnull", False),
                    _connector="OR",
                ),
                name="reservation_hold_expires",
            ),
        ),
        migrations.AddConstraint(
            model_name="occupancy",
            constraint=models.UniqueConstraint(fields=("reservation", "activity"), name="occupancy_once"),
        ),
        migrations.AddConstraint(
            model_name="occupancy",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[("activity_key", "="), ("during", "&&")], name="occupancy_one_party"
            ),
        ),
        migrations.AddIndex(
            model_name="history",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="history_time"),
        ),
        migrations.AddConstraint(
            model_name="till",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at__isnull", True)), fields=("operator", "name"), name="till_open_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="till",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount_counted__isnull", True), ("amount_expected__isnull", True), ("closed_at__isnull", True)
                    ),
                    models.Q(
                        ("amount_counted__isnull", False),
                        ("amount_expected__isnull", False),
                        ("closed_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="till_closed_is_counted",
            ),
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(
                condition=models.Q(("approved_at__isnull", True), ("declined_at__isnull", True)),
                fields=["reservation"],
                name="receipt_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.CheckConstraint(
                condition=models.Q(("method__in", ["cash", "terminal", "transfer", "voucher", "account"])),
                name="receipt_method_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount", 0), _negated=True), name="receipt_of_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.CheckConstraint(
                condition=models.Q(("approved_at__isnull", True), ("declined_at__isnull", True), _connector="OR"),
                name="receipt_decided_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_at__isnull", True),
                    ("approved_at", models.F("at")),
                    models.Q(("approved_by", models.F("actor")), _negated=True),
                    _connector="OR",
                ),
                name="receipt_approved_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("refund__isnull", False)),
                fields=("refund", "kind"),
                name="adjustment_of_refund_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["extra", "fee", "discount", "withdrawal", "unit", "goodwill", "reversal", "end"])
                ),
                name="adjustment_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gt", 0), ("kind__in", ("extra", "fee"))),
                    models.Q(("amount__gt", 0), ("kind", "reversal"), ("refund__isnull", False)),
                    models.Q(("kind", "withdrawal"), ("withdraws__isnull", False)),
                    models.Q(("amount__lte", 0), ("kind", "unit"), ("unit__isnull", False)),
                    models.Q(("amount__lte", 0), ("kind__in", ("discount", "goodwill", "end"))),
                    _connector="OR",
                ),
                name="adjustment_lowers_or_raises",
            ),
        ),
        # Changes: places held beside those of a reservation.
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("done", "Done"),
                            ("expired", "Expired"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Failed"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "places",
                    models.PositiveIntegerField(help_text="Held on the departure beside what the reservation has."),
                ),
                ("sold", models.JSONField(default=list, help_text="The units that are added, with their prices.")),
                (
                    "prices",
                    models.JSONField(default=dict, help_text="What the units cost then that it has, by their ids."),
                ),
                (
                    "amount",
                    models.BigIntegerField(help_text="What the price becomes more by; less than nothing: less."),
                ),
                ("amount_due", models.BigIntegerField(help_text="What has to be paid before it is done.")),
                (
                    "on_decline",
                    models.CharField(
                        choices=[("release", "Release"), ("keep", "Keep")], default="release", max_length=10
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("changed_by", models.CharField(max_length=200)),
                ("changed_because", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="adjustment",
            name="adjustment_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="adjustment",
            name="adjustment_lowers_or_raises",
        ),
        migrations.AlterField(
            model_name="adjustment",
            name="kind",
            field=models.CharField(
                choices=[
                    ("extra", "extra"),
                    ("fee", "fee"),
                    ("discount", "discount"),
                    ("withdrawal", "taken back"),
                    ("unit", "place given back"),
                    ("change", "change"),
                    ("goodwill", "goodwill"),
                    ("reversal", "goodwill taken back"),
                    ("end", "end"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="api_client",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.apiclient",
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="reservation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="booking.reservation"
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="slot",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalogue.slot"
            ),
        ),
        migrations.AddField(
            model_name="adjustment",
            name="change",
            field=models.OneToOneField(
                blank=True,
                help_text="The change that it is of.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adjustment",
                to="booking.change",
            ),
        ),
        migrations.AddField(
            model_name="reservation",
            name="change",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                help_text="The one that is open; empty: none.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="booking.change",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        ["extra", "fee", "discount", "withdrawal", "unit", "change", "goodwill", "reversal", "end"],
                    )
                ),
                name="adjustment_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gt", 0), ("kind__in", ("extra", "fee"))),
                    models.Q(("amount__gt", 0), ("kind", "reversal"), ("refund__isnull", False)),
                    models.Q(("kind", "withdrawal"), ("withdraws__isnull", False)),
                    models.Q(("change__isnull", False), ("kind", "change")),
                    models.Q(("amount__lte", 0), ("kind", "unit"), ("unit__isnull", False)),
                    models.Q(("amount__lte", 0), ("kind__in", ("discount", "goodwill", "end"))),
                    _connector="OR",
                ),
                name="adjustment_lowers_or_raises",
            ),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.CheckConstraint(
                condition=models.Q(("change__isnull", True), ("status__in", ["confirmed", "paid"]), _connector="OR"),
                name="reservation_change_is_of_sold",
            ),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["slot", "expires_at"], name="change_slot_open"
            ),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["api_client", "expires_at"], name="change_client_open"
            ),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(condition=models.Q(("status", "open")), fields=["expires_at"], name="change_expires"),
        ),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "done", "expired", "cancelled", "failed"])),
                name="change_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.CheckConstraint(condition=models.Q(("places__gt", 0)), name="change_has_places"),
        ),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_due__gte", 0)), name="change_due_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "open")), fields=("reservation",), name="change_open_once"
            ),
        ),
    ]
