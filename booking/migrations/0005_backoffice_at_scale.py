"""What lists, filters and searches of the backoffice need on large tables."""

import django.contrib.postgres.indexes
from django.db import migrations, models

# Without accents and in lower case, split at everything that is no letter or digit, so that João is found by joao and a
# mail address by any part of it. Immutable, as an index needs: it depends on nothing but what it is given.
FORWARD = r"""
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
BACKWARD = "DROP FUNCTION booking_words(text, text, text)"


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0004_language"),
        ("payments", "0006_one_index_of_the_operator"),
        ("tenants", "0004_roles"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="resource",
            options={"ordering": ["-id"], "verbose_name": "activity", "verbose_name_plural": "activities"},
        ),
        migrations.AlterModelOptions(
            name="slot", options={"ordering": ["starts_at", "id"], "verbose_name": "departure"}
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddIndex(
            model_name="slot",
            index=models.Index(condition=models.Q(("is_closed", True)), fields=["starts_at", "id"], name="slot_closed"),
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
    ]
