"""The database refuses what the transition table does not allow, keeps the history, and wants money behind ``paid``.

``tests/booking/test_guards.py`` holds the pairs below against ``booking/states.py``.
"""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION booking_reservation_moves() RETURNS trigger LANGUAGE plpgsql AS $$
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
        ('expired', 'paid'), ('cancelled', 'paid'), ('failed', 'paid'),
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
CREATE TRIGGER reservation_moves BEFORE UPDATE OF status ON booking_reservation
    FOR EACH ROW EXECUTE FUNCTION booking_reservation_moves();

CREATE FUNCTION booking_reservation_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'awaiting_payment' THEN
        RAISE EXCEPTION 'a reservation cannot begin as %', NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_transition';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reservation_begins BEFORE INSERT ON booking_reservation
    FOR EACH ROW EXECUTE FUNCTION booking_reservation_begins();

CREATE FUNCTION booking_reservation_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO booking_history (reservation_id, at, from_status, to_status, actor, reason)
    VALUES (NEW.id, NEW.changed_at, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END, NEW.status,
            NEW.changed_by, NEW.changed_because);
    RETURN NULL;
END $$;
CREATE TRIGGER reservation_history_of_insert AFTER INSERT ON booking_reservation
    FOR EACH ROW EXECUTE FUNCTION booking_reservation_history();
CREATE TRIGGER reservation_history_of_update AFTER UPDATE OF status ON booking_reservation
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION booking_reservation_history();

-- Checked at COMMIT: payment and reservation are written by one transaction, in any order.
CREATE FUNCTION booking_paid_has_money() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM payments_payment p
        WHERE p.id = NEW.payment_id AND p.status = 'succeeded'
          AND p.amount_captured = NEW.amount AND p.currency = NEW.currency
    ) THEN
        RAISE EXCEPTION 'reservation % cannot be %: its payment has not succeeded', NEW.id, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_paid_has_money';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reservation_paid_has_money AFTER INSERT OR UPDATE ON booking_reservation
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status IN ('paid', 'refunded')) EXECUTE FUNCTION booking_paid_has_money();

CREATE TRIGGER reservation_is_kept BEFORE DELETE ON booking_reservation
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER unit_is_a_snapshot BEFORE UPDATE OR DELETE ON booking_unit
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER history_is_append_only BEFORE UPDATE OR DELETE ON booking_history
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();
"""

BACKWARD = """
DROP TRIGGER history_is_append_only ON booking_history;
DROP TRIGGER unit_is_a_snapshot ON booking_unit;
DROP TRIGGER reservation_is_kept ON booking_reservation;
DROP TRIGGER reservation_paid_has_money ON booking_reservation;
DROP TRIGGER reservation_history_of_update ON booking_reservation;
DROP TRIGGER reservation_history_of_insert ON booking_reservation;
DROP TRIGGER reservation_begins ON booking_reservation;
DROP TRIGGER reservation_moves ON booking_reservation;
DROP FUNCTION booking_paid_has_money(), booking_reservation_history(), booking_reservation_begins(),
    booking_reservation_moves();
"""


class Migration(migrations.Migration):
    """Triggers of the reservations."""

    dependencies: ClassVar = [("booking", "0002_initial"), ("payments", "0003_guards")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
