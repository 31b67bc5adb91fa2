"""Events that cannot be read are kept, with why; what they say of that never changes either."""

from django.db import migrations, models

FORWARD = """
CREATE OR REPLACE FUNCTION webhooks_event_is_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.provider, OLD.account, OLD.event_id, OLD.type, OLD.object_ref, OLD.problem, OLD.live,
        OLD.api_version, OLD.occurred_at, OLD.source, OLD.endpoint, OLD.proven_account, OLD.secret_name, OLD.payload, OLD.captured_amount,
        OLD.captured_currency, OLD.received_at, OLD.attested_by, OLD.attested_because)
       IS DISTINCT FROM
       (NEW.id, NEW.provider, NEW.account, NEW.event_id, NEW.type, NEW.object_ref, NEW.problem, NEW.live,
        NEW.api_version, NEW.occurred_at, NEW.source, NEW.endpoint, NEW.proven_account, NEW.secret_name, NEW.payload, NEW.captured_amount,
        NEW.captured_currency, NEW.received_at, NEW.attested_by, NEW.attested_because)
       OR (OLD.payment_id IS NOT NULL AND NEW.payment_id IS DISTINCT FROM OLD.payment_id)
       OR (OLD.status = 'applied' AND NEW.status <> 'applied') THEN
        RAISE EXCEPTION 'event % is evidence and is not changed', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'event_is_evidence';
    END IF;
    RETURN NEW;
END $$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION webhooks_event_is_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.provider, OLD.account, OLD.event_id, OLD.type, OLD.object_ref, OLD.live, OLD.api_version,
        OLD.source, OLD.endpoint, OLD.proven_account, OLD.secret_name, OLD.payload, OLD.captured_amount,
        OLD.captured_currency, OLD.received_at, OLD.attested_by, OLD.attested_because)
       IS DISTINCT FROM
       (NEW.id, NEW.provider, NEW.account, NEW.event_id, NEW.type, NEW.object_ref, NEW.live, NEW.api_version,
        NEW.source, NEW.endpoint, NEW.proven_account, NEW.secret_name, NEW.payload, NEW.captured_amount,
        NEW.captured_currency, NEW.received_at, NEW.attested_by, NEW.attested_because)
       OR (OLD.payment_id IS NOT NULL AND NEW.payment_id IS DISTINCT FROM OLD.payment_id)
       OR (OLD.status = 'applied' AND NEW.status <> 'applied') THEN
        RAISE EXCEPTION 'event % is evidence and is not changed', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'event_is_evidence';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0013_news_that_waits"),
        ("webhooks", "0008_never_emptied"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="problem",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why it cannot be read; it proves nothing.",
                max_length=500,
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="live",
            field=models.BooleanField(help_text="Whether it is of real money. NULL: it cannot be read.", null=True),
        ),
        migrations.AlterField(
            model_name="event",
            name="occurred_at",
            field=models.DateTimeField(help_text="By the provider's clock. NULL: it cannot be read.", null=True),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "applied"), _negated=True),
                    models.Q(("live__isnull", False), ("occurred_at__isnull", False), ("problem", "")),
                    _connector="OR",
                ),
                name="event_applied_was_read",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
