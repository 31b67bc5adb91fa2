"""A cancelled reservation is never paid: money that comes for it is given back."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION booking_reservation_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = NEW.status THEN
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN (
        ('awaiting_payment', 'pending'), ('awaiting_payment', 'failed'), ('awaiting_payment', 'expired'),
        ('awaiting_payment', 'cancelled'), ('awaiting_payment', 'paid'),
        ('pending', 'confirmed'), ('pending', 'failed'), ('pending', 'expired'), ('pending', 'cancelled'),
        ('pending', 'paid'),
        ('confirmed', 'paid'), ('confirmed', 'failed'),
        ('expired', 'paid'), ('failed', 'paid'),
        ('paid', 'refunded')
    ) THEN
        RAISE EXCEPTION 'a reservation that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_transition';
    END IF;
    IF (OLD.changed_at, OLD.changed_by, OLD.changed_because) = (NEW.changed_at, NEW.changed_by, NEW.changed_because) THEN
        RAISE EXCEPTION 'a change of status must say when, who and why'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_change_is_explained';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    """The transitions of a reservation, as ``booking/states.py`` has them."""

    dependencies: ClassVar = [("booking", "0007_no_index_twice")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
