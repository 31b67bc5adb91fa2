"""A reservation whose money was captured in part waits as confirmed; without such money none is confirmed unheld."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION booking_reservation_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = NEW.status THEN
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN (
        ('awaiting_payment', 'pending'), ('awaiting_payment', 'confirmed'), ('awaiting_payment', 'failed'),
        ('awaiting_payment', 'expired'), ('awaiting_payment', 'cancelled'), ('awaiting_payment', 'paid'),
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

-- Checked at COMMIT: payment and reservation are written by one transaction, in any order.
CREATE FUNCTION booking_confirmed_has_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM payments_payment p
        WHERE p.id = NEW.payment_id AND p.amount_captured > 0 AND p.amount_captured < NEW.amount
    ) THEN
        RAISE EXCEPTION 'reservation % is not held, and no part of its money is captured', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_confirmed_has_part';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reservation_confirmed_has_part AFTER UPDATE OF status ON booking_reservation
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.status = 'awaiting_payment' AND NEW.status = 'confirmed')
    EXECUTE FUNCTION booking_confirmed_has_part();
"""

BACKWARD = """
DROP TRIGGER reservation_confirmed_has_part ON booking_reservation;
DROP FUNCTION booking_confirmed_has_part();
"""


class Migration(migrations.Migration):
    """The transitions of a reservation, as ``booking/states.py`` has them."""

    dependencies: ClassVar = [("booking", "0012_payment_of_its_own")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
