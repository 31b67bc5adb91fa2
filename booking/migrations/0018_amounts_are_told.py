"""An amount, or a number of places, that is changed by hand in a reservation is told in its history."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION booking_reservation_amount_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO booking_history (reservation_id, at, from_status, to_status, actor, reason)
    VALUES (NEW.id, clock_timestamp(), NEW.status, NEW.status,
            left(coalesce(nullif(current_setting('holdfast.actor', true), ''), 'database:' || session_user), 200),
            format('%s places, amount %s %s → %s places, amount %s %s, in minor units',
                   OLD.places, OLD.amount, OLD.currency, NEW.places, NEW.amount, NEW.currency));
    RETURN NULL;
END $$;
CREATE TRIGGER reservation_history_of_amount AFTER UPDATE OF places, amount, currency ON booking_reservation
    FOR EACH ROW
    WHEN ((OLD.places, OLD.amount, OLD.currency) IS DISTINCT FROM (NEW.places, NEW.amount, NEW.currency))
    EXECUTE FUNCTION booking_reservation_amount_history();
"""

BACKWARD = """
DROP TRIGGER reservation_history_of_amount ON booking_reservation;
DROP FUNCTION booking_reservation_amount_history();
"""


class Migration(migrations.Migration):
    """One trigger."""

    dependencies: ClassVar = [("booking", "0017_offer_history_guards")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
