"""The transitions of a payment, as ``payments/states.py`` has them."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION payments_payment_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = NEW.status THEN
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN (
        ('requires_confirmation', 'requires_payment_method'), ('requires_confirmation', 'processing'),
        ('requires_confirmation', 'requires_action'), ('requires_confirmation', 'on_hold'),
        ('requires_confirmation', 'succeeded'), ('requires_confirmation', 'failed'),
        ('requires_confirmation', 'canceled'),
        ('requires_payment_method', 'processing'), ('requires_payment_method', 'requires_action'),
        ('requires_payment_method', 'on_hold'), ('requires_payment_method', 'succeeded'),
        ('requires_payment_method', 'failed'), ('requires_payment_method', 'canceled'),
        ('processing', 'requires_payment_method'), ('processing', 'requires_action'), ('processing', 'on_hold'),
        ('processing', 'succeeded'), ('processing', 'failed'), ('processing', 'canceled'),
        ('requires_action', 'requires_payment_method'), ('requires_action', 'processing'),
        ('requires_action', 'on_hold'), ('requires_action', 'succeeded'), ('requires_action', 'failed'),
        ('requires_action', 'canceled'),
        ('on_hold', 'processing'), ('on_hold', 'succeeded'), ('on_hold', 'failed'), ('on_hold', 'canceled')
    ) THEN
        RAISE EXCEPTION 'a payment that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transition';
    END IF;
    IF (OLD.changed_at, OLD.changed_by, OLD.changed_because) = (NEW.changed_at, NEW.changed_by, NEW.changed_because) THEN
        RAISE EXCEPTION 'a change of status must say when, who and why'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_change_is_explained';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    """The guard again, with the status that asks for another payment method."""

    dependencies: ClassVar = [("payments", "0010_news_in_order")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
