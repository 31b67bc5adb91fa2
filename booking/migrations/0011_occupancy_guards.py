"""One party at a time (P2), and nothing is changed under who has bought it: both are said by the database.

From its insert to COMMIT a sale holds its activity FOR KEY SHARE, which sales do not wait for; the foreign key takes the
same lock at COMMIT. Who changes what is sold (the activity's terms, a departure's time) takes it FOR UPDATE: either is
there first, and the other sees what it did. Two parties that want an exclusive resource at once are decided by the
exclusion constraint; the advisory lock before it lets the second one wait, where the constraint alone might let both wait
for each other. ``booking/locks.py`` has the order: the activity comes after the payment and before the slot.
"""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION booking_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was sold does not change' USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;

-- A reservation is of what its activity and its departure are at COMMIT, and of their times.
CREATE FUNCTION booking_reservation_as_offered() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    activity record;
    departure record;
BEGIN
    SELECT operator_id, currency, timezone, exclusive INTO activity
        FROM booking_resource WHERE id = NEW.resource_id FOR KEY SHARE;
    SELECT resource_id, starts_at, ends_at INTO departure FROM booking_slot WHERE id = NEW.slot_id;
    IF NEW.slot_id IS NOT NULL THEN
        IF TG_OP = 'UPDATE' OR NEW.starts_at IS NULL THEN
            NEW.starts_at := departure.starts_at;
            NEW.ends_at := departure.ends_at;
        END IF;
        IF (NEW.resource_id, NEW.starts_at, NEW.ends_at)
           IS DISTINCT FROM (departure.resource_id, departure.starts_at, departure.ends_at) THEN
            RAISE EXCEPTION 'the departure is not the one that was offered'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_as_offered';
        END IF;
    ELSIF (NEW.day, NEW.day) IS DISTINCT FROM ((NEW.starts_at AT TIME ZONE activity.timezone)::date,
            ((NEW.ends_at - interval '1 microsecond') AT TIME ZONE activity.timezone)::date) THEN
        RAISE EXCEPTION 'the day is not one of the activity''s time zone'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_as_offered';
    END IF;
    IF TG_OP = 'INSERT' AND (NEW.operator_id, NEW.currency, NEW.exclusive)
       IS DISTINCT FROM (activity.operator_id, activity.currency, activity.exclusive) THEN
        RAISE EXCEPTION 'the activity is not sold as it was offered'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_as_offered';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reservation_as_offered_of_insert BEFORE INSERT ON booking_reservation
    FOR EACH ROW EXECUTE FUNCTION booking_reservation_as_offered();
CREATE TRIGGER reservation_as_offered_of_move BEFORE UPDATE OF slot_id ON booking_reservation
    FOR EACH ROW WHEN (OLD.slot_id IS DISTINCT FROM NEW.slot_id) EXECUTE FUNCTION booking_reservation_as_offered();

CREATE TRIGGER reservation_is_of_what_was_sold BEFORE UPDATE OF resource_id, day, starts_at, ends_at, exclusive
    ON booking_reservation FOR EACH ROW
    WHEN ((OLD.resource_id, OLD.day, OLD.starts_at, OLD.ends_at, OLD.exclusive)
          IS DISTINCT FROM (NEW.resource_id, NEW.day, NEW.starts_at, NEW.ends_at, NEW.exclusive)
          AND OLD.slot_id IS NOT DISTINCT FROM NEW.slot_id)
    EXECUTE FUNCTION booking_refuse_change();

-- An active reservation of an exclusive activity has a row in the table of occupancy, and nothing else has.
CREATE FUNCTION booking_reservation_occupies() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_for_one boolean;
BEGIN
    SELECT exclusive INTO is_for_one FROM booking_resource WHERE id = NEW.resource_id FOR KEY SHARE;
    IF NEW.status NOT IN ('awaiting_payment', 'pending', 'confirmed', 'paid') OR NOT (is_for_one OR NEW.exclusive) THEN
        DELETE FROM booking_occupancy WHERE reservation_id = NEW.id;
    ELSIF NOT is_for_one THEN
        RAISE EXCEPTION 'the activity is not for one party any more'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_as_offered';
    ELSE
        PERFORM pg_advisory_xact_lock('booking_occupancy'::regclass::oid::int, hashtext(NEW.resource_id::text));
        INSERT INTO booking_occupancy (reservation_id, resource_id, during)
        VALUES (NEW.id, NEW.resource_id, tstzmultirange(tstzrange(NEW.starts_at, NEW.ends_at)))
        ON CONFLICT (reservation_id, resource_id) DO UPDATE SET during = excluded.during;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reservation_occupies_of_insert AFTER INSERT ON booking_reservation
    FOR EACH ROW WHEN (NEW.exclusive) EXECUTE FUNCTION booking_reservation_occupies();
CREATE TRIGGER reservation_occupies_of_update AFTER UPDATE OF status, slot_id ON booking_reservation
    FOR EACH ROW WHEN (OLD.slot_id IS DISTINCT FROM NEW.slot_id
        OR (OLD.status IN ('awaiting_payment', 'pending', 'confirmed', 'paid'))
           <> (NEW.status IN ('awaiting_payment', 'pending', 'confirmed', 'paid')))
    EXECUTE FUNCTION booking_reservation_occupies();

-- What guests have bought of an activity stays what it was.
CREATE FUNCTION booking_resource_is_sold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM booking_resource WHERE id = NEW.id FOR UPDATE;  -- waits for the sales of this moment
    IF ((OLD.operator_id, OLD.currency) IS DISTINCT FROM (NEW.operator_id, NEW.currency)
            AND EXISTS (SELECT FROM booking_slot WHERE resource_id = NEW.id))
       OR ((OLD.operator_id, OLD.currency, OLD.timezone) IS DISTINCT FROM (NEW.operator_id, NEW.currency, NEW.timezone)
            AND EXISTS (SELECT FROM booking_reservation WHERE resource_id = NEW.id)) THEN
        RAISE EXCEPTION 'this activity has been sold: its operator, currency and time zone are fixed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'resource_is_sold';
    END IF;
    IF OLD.exclusive AND NOT NEW.exclusive AND EXISTS (
        SELECT FROM booking_occupancy o JOIN booking_reservation r ON r.id = o.reservation_id
        WHERE o.resource_key = uuidrange(NEW.id, NEW.id, '[]') AND upper(o.during) > now() AND r.exclusive) THEN
        RAISE EXCEPTION 'guests have bought this activity for themselves: it stays exclusive until they have been there'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'resource_has_its_party';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER resource_is_sold BEFORE UPDATE OF operator_id, currency, timezone, exclusive ON booking_resource
    FOR EACH ROW WHEN ((OLD.operator_id, OLD.currency, OLD.timezone, OLD.exclusive)
                       IS DISTINCT FROM (NEW.operator_id, NEW.currency, NEW.timezone, NEW.exclusive))
    EXECUTE FUNCTION booking_resource_is_sold();

CREATE FUNCTION booking_resource_turns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM booking_occupancy WHERE resource_id = NEW.id;
    IF NEW.exclusive THEN
        INSERT INTO booking_occupancy (reservation_id, resource_id, during)
        SELECT id, resource_id, tstzmultirange(tstzrange(starts_at, ends_at)) FROM booking_reservation
        WHERE resource_id = NEW.id AND status IN ('awaiting_payment', 'pending', 'confirmed', 'paid') AND ends_at > now();
    END IF;
    RETURN NULL;
EXCEPTION WHEN exclusion_violation THEN
    RAISE EXCEPTION 'several parties have booked this activity for one time: it cannot be for one party only'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'resource_has_parties';
END $$;
CREATE TRIGGER resource_turns AFTER UPDATE OF exclusive ON booking_resource
    FOR EACH ROW WHEN (OLD.exclusive <> NEW.exclusive) EXECUTE FUNCTION booking_resource_turns();

-- A departure that was sold stays where it is, also when everybody has left it again: late money may seat them.
CREATE FUNCTION booking_slot_is_sold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM booking_resource WHERE id = OLD.resource_id FOR UPDATE;  -- waits for the sales of this moment
    IF OLD.sold_at IS NOT NULL OR OLD.reserved > 0
       OR EXISTS (SELECT FROM booking_reservation WHERE slot_id = OLD.id) THEN
        RAISE EXCEPTION 'this departure has been sold: its activity and its time are fixed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'slot_is_sold';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER slot_is_sold BEFORE UPDATE OF resource_id, starts_at, ends_at ON booking_slot
    FOR EACH ROW WHEN ((OLD.resource_id, OLD.starts_at, OLD.ends_at)
                       IS DISTINCT FROM (NEW.resource_id, NEW.starts_at, NEW.ends_at))
    EXECUTE FUNCTION booking_slot_is_sold();
CREATE TRIGGER slot_stays_sold BEFORE UPDATE OF sold_at ON booking_slot
    FOR EACH ROW WHEN (OLD.sold_at IS NOT NULL AND NEW.sold_at IS DISTINCT FROM OLD.sold_at)
    EXECUTE FUNCTION booking_refuse_change();
"""

BACKWARD = """
DROP TRIGGER slot_stays_sold ON booking_slot;
DROP TRIGGER slot_is_sold ON booking_slot;
DROP TRIGGER resource_turns ON booking_resource;
DROP TRIGGER resource_is_sold ON booking_resource;
DROP TRIGGER reservation_occupies_of_update ON booking_reservation;
DROP TRIGGER reservation_occupies_of_insert ON booking_reservation;
DROP TRIGGER reservation_is_of_what_was_sold ON booking_reservation;
DROP TRIGGER reservation_as_offered_of_move ON booking_reservation;
DROP TRIGGER reservation_as_offered_of_insert ON booking_reservation;
DROP FUNCTION booking_slot_is_sold(), booking_resource_turns(), booking_resource_is_sold(),
    booking_reservation_occupies(), booking_reservation_as_offered(), booking_refuse_change();
"""


class Migration(migrations.Migration):
    """Triggers of reservations, activities and departures."""

    dependencies: ClassVar = [("booking", "0010_occupancy")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
