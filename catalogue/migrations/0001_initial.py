"""What is on sale: activities, their prices and departures, and the history of them. The guards come after it."""

import django.db.models.deletion
from django.db import migrations, models

import common.ids
import tenants.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="Activity",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                ("exclusive", models.BooleanField(default=False, help_text="One party has it for itself.")),
                (
                    "timezone",
                    models.CharField(
                        help_text="For showing times.", max_length=64, validators=[tenants.models.time_zone_name]
                    ),
                ),
                ("currency", models.CharField(max_length=3, validators=[tenants.models.currency_code])),
                ("is_active", models.BooleanField(default=True)),
                (
                    "terms",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="A rule on each line, such as “until 48 h: keep 0 %”. Past the last one everything is kept. Empty: a guest cannot cancel what is sold.",
                        verbose_name="cancellation terms",
                    ),
                ),
                (
                    "plan",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Such as “30 %, balance 14 days before”. Empty: all is paid at once.",
                        max_length=100,
                        verbose_name="deposit",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="activities", to="tenants.operator"
                    ),
                ),
            ],
            options={
                "verbose_name": "activity",
                "verbose_name_plural": "activities",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Slot",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("capacity", models.PositiveIntegerField()),
                ("reserved", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "is_closed",
                    models.BooleanField(default=False, help_text="Closed to new reservations; those it has stay."),
                ),
                (
                    "sold_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="When a place was first taken; activity and time are fixed.",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "activity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="slots", to="catalogue.activity"
                    ),
                ),
            ],
            options={
                "verbose_name": "departure",
                "ordering": ["starts_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="OfferHistory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("capacity", "Capacity"),
                            ("is_closed", "Is Closed"),
                            ("price", "Price"),
                            ("currency", "Currency"),
                            ("is_active", "Is Active"),
                            ("exclusive", "Exclusive"),
                            ("terms", "cancellation terms"),
                            ("plan", "deposit"),
                            ("departures", "departures made"),
                            ("departure", "departure removed"),
                        ],
                        max_length=20,
                    ),
                ),
                ("unit", models.CharField(blank=True, help_text="Of a price: what it is the price of.", max_length=40)),
                (
                    "currency",
                    models.CharField(blank=True, help_text="Of a price: its currency at that time.", max_length=3),
                ),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("actor", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True)),
                (
                    "activity",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalogue.activity",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.operator"
                    ),
                ),
                (
                    "slot",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalogue.slot",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "offer history",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Rate",
            fields=[
                ("id", models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("unit", models.SlugField(max_length=40)),
                ("name", models.CharField(max_length=100)),
                (
                    "amount",
                    models.BigIntegerField(
                        help_text="In the minor unit of the activity's currency: 2599 is 25.99 USD."
                    ),
                ),
                (
                    "activity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rates", to="catalogue.activity"
                    ),
                ),
            ],
            options={
                "ordering": ["-amount", "unit"],
                "constraints": [
                    models.UniqueConstraint(fields=("activity", "unit"), name="rate_once_per_unit"),
                    models.CheckConstraint(condition=models.Q(("amount__gte", 0)), name="rate_amount_not_negative"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="slot",
            index=models.Index(fields=["starts_at", "id"], name="slot_by_time"),
        ),
        migrations.AddIndex(
            model_name="slot",
            index=models.Index(condition=models.Q(("is_closed", True)), fields=["starts_at", "id"], name="slot_closed"),
        ),
        migrations.AddConstraint(
            model_name="slot",
            constraint=models.CheckConstraint(
                condition=models.Q(("reserved__lte", models.F("capacity"))), name="slot_not_oversold"
            ),
        ),
        migrations.AddConstraint(
            model_name="slot",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="slot_ends_after_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="slot",
            constraint=models.UniqueConstraint(
                fields=("activity", "starts_at"),
                name="slot_once_at_a_time",
                violation_error_message="This activity already has a departure at that time.",
            ),
        ),
        migrations.AddIndex(
            model_name="offerhistory",
            index=models.Index(fields=["activity", "what", "-id"], name="offer_history_of_activity"),
        ),
        migrations.AddIndex(
            model_name="offerhistory",
            index=models.Index(
                condition=models.Q(("slot__isnull", False)), fields=["slot", "-id"], name="offer_history_of_slot"
            ),
        ),
        migrations.AddConstraint(
            model_name="offerhistory",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "what__in",
                        [
                            "capacity",
                            "is_closed",
                            "price",
                            "currency",
                            "is_active",
                            "exclusive",
                            "terms",
                            "plan",
                            "departures",
                            "departure",
                        ],
                    )
                ),
                name="offer_history_what_known",
            ),
        ),
    ]
