"""A reservation has one payment of its own for good: nobody can give it another's money."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION booking_payment_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'reservation % keeps its operator and its payment', OLD.id
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'reservation_payment_is_fixed';
END $$;
CREATE TRIGGER reservation_payment_is_fixed
    BEFORE UPDATE OF payment_id, operator_id ON booking_reservation
    FOR EACH ROW
    WHEN ((OLD.payment_id, OLD.operator_id) IS DISTINCT FROM (NEW.payment_id, NEW.operator_id))
    EXECUTE FUNCTION booking_payment_is_fixed();

-- Checked at COMMIT: payment and reservation are stored by one transaction, in any order.
CREATE FUNCTION booking_payment_is_its_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM payments_payment p
        WHERE p.id = NEW.payment_id AND p.managed_by = 'reservation' AND p.operator_id = NEW.operator_id
    ) THEN
        RAISE EXCEPTION 'the payment of reservation % is not driven by it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_payment_is_its_own';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reservation_payment_is_its_own AFTER INSERT ON booking_reservation
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION booking_payment_is_its_own();
"""

BACKWARD = """
DROP TRIGGER reservation_payment_is_its_own ON booking_reservation;
DROP TRIGGER reservation_payment_is_fixed ON booking_reservation;
DROP FUNCTION booking_payment_is_its_own(), booking_payment_is_fixed();
"""


class Migration(migrations.Migration):
    """Triggers of the reservations."""

    dependencies: ClassVar = [("booking", "0011_occupancy_guards"), ("payments", "0012_driver_is_fixed")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
