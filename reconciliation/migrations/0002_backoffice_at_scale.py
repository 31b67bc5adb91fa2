"""What lists, filters and searches of the backoffice need on large tables."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="bookentry",
            name="book_entry_once",
        ),
        migrations.RemoveIndex(
            model_name="bookentry",
            name="book_entry_payment",
        ),
        migrations.AddIndex(
            model_name="bookentry",
            index=models.Index(fields=["-occurred_at", "-id"], name="book_entry_newest"),
        ),
        migrations.AddIndex(
            model_name="bookentry",
            index=models.Index(
                condition=models.Q(("payment_ref", ""), _negated=True),
                fields=["payment_ref", "provider", "account"],
                name="book_entry_payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="bookentry",
            constraint=models.UniqueConstraint(fields=("ref", "provider", "account"), name="book_entry_once"),
        ),
    ]
