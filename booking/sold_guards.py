"""Guards of sales: one party at a time (P2), nothing changed.

From its insert to COMMIT a sale holds its activity FOR KEY SHARE, which sales do not wait for; the foreign key takes
the same lock at COMMIT. A change of what is sold (the activity's terms, a departure's time) takes it FOR UPDATE: either
is there first, and the other sees what it did. Two parties that want an exclusive activity at once are decided by the
exclusion constraint; the advisory lock before it lets the second one wait, where the constraint alone might let both
wait for each other. ``booking/locks.py`` has the order: the activity comes after the payment and before the slot.
"""

from booking.states import ACTIVE, ReservationStatus
from common import guards
from common.guards import changed

_RESERVATION, _ACTIVITY, _SLOT = "booking_reservation", "catalogue_activity", "catalogue_slot"
_ACTIVE = guards.listed(ACTIVE, of=ReservationStatus)

# A reservation is of what its activity and its departure are at COMMIT, and of their times.
_AS_OFFERED = (
    guards.function(
        "booking_reservation_as_offered",
        """
        SELECT operator_id, currency, timezone, exclusive INTO activity
            FROM catalogue_activity WHERE id = NEW.activity_id FOR KEY SHARE;
        SELECT activity_id, starts_at, ends_at INTO departure FROM catalogue_slot WHERE id = NEW.slot_id;
        IF NEW.slot_id IS NOT NULL THEN
            IF TG_OP = 'UPDATE' OR NEW.starts_at IS NULL THEN
                NEW.starts_at := departure.starts_at;
                NEW.ends_at := departure.ends_at;
            END IF;
            IF (NEW.activity_id, NEW.starts_at, NEW.ends_at)
               IS DISTINCT FROM (departure.activity_id, departure.starts_at, departure.ends_at) THEN
                RAISE EXCEPTION 'the departure is not the one that was offered'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_as_offered';
            END IF;
        ELSIF (NEW.day, NEW.day) IS DISTINCT FROM ((NEW.starts_at AT TIME ZONE activity.timezone)::date,
                ((NEW.ends_at - interval '1 microsecond') AT TIME ZONE activity.timezone)::date) THEN
            RAISE EXCEPTION 'the day is not one of the activity''s time zone'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_as_offered';
        END IF;
        """,
        guards.refuse_if(
            """
            TG_OP = 'INSERT' AND (NEW.operator_id, NEW.currency, NEW.exclusive)
                IS DISTINCT FROM (activity.operator_id, activity.currency, activity.exclusive)
            """,
            "the activity is not sold as it was offered",
            constraint="reservation_as_offered",
        ),
        "RETURN NEW;",
        declare="""
        activity record;
        departure record;
        """,
    ),
    guards.trigger(
        "reservation_as_offered_of_insert", "BEFORE INSERT", _RESERVATION, calls="booking_reservation_as_offered"
    ),
    guards.trigger(
        "reservation_as_offered_of_move",
        "BEFORE UPDATE OF slot_id",
        _RESERVATION,
        calls="booking_reservation_as_offered",
        condition=changed("slot_id"),
    ),
    guards.trigger(
        "reservation_is_of_what_was_sold",
        "BEFORE UPDATE OF activity_id, day, starts_at, ends_at, exclusive",
        _RESERVATION,
        calls="booking_refuse_change",
        condition=f"{changed('activity_id', 'day', 'starts_at', 'ends_at', 'exclusive')}\n"
        "AND OLD.slot_id IS NOT DISTINCT FROM NEW.slot_id",
    ),
)

# An active reservation of an exclusive activity has a row in the table of occupancy, and nothing else has.
_OCCUPANCY = (
    guards.function(
        "booking_reservation_occupies",
        f"""
        SELECT exclusive INTO is_for_one FROM catalogue_activity WHERE id = NEW.activity_id FOR KEY SHARE;
        IF NEW.status NOT IN {_ACTIVE} OR NOT (is_for_one OR NEW.exclusive) THEN
            DELETE FROM booking_occupancy WHERE reservation_id = NEW.id;
        ELSIF NOT is_for_one THEN
            RAISE EXCEPTION 'the activity is not for one party any more'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_as_offered';
        ELSE
            PERFORM pg_advisory_xact_lock('booking_occupancy'::regclass::oid::int, hashtext(NEW.activity_id::text));
            INSERT INTO booking_occupancy (reservation_id, activity_id, during)
            VALUES (NEW.id, NEW.activity_id, tstzmultirange(tstzrange(NEW.starts_at, NEW.ends_at)) + coalesce(
                (SELECT tstzmultirange(tstzrange(s.starts_at, s.ends_at)) FROM booking_change c
                 JOIN catalogue_slot s ON s.id = c.slot_id WHERE c.id = NEW.change_id), '{{}}'))
            ON CONFLICT (reservation_id, activity_id) DO UPDATE SET during = excluded.during;
        END IF;
        RETURN NULL;
        """,
        declare="is_for_one boolean;",
    ),
    guards.trigger(
        "reservation_occupies_of_insert",
        "AFTER INSERT",
        _RESERVATION,
        calls="booking_reservation_occupies",
        condition="NEW.exclusive",
    ),
    guards.trigger(
        "reservation_occupies_of_update",
        "AFTER UPDATE OF status, slot_id, change_id",
        _RESERVATION,
        calls="booking_reservation_occupies",
        condition=f"{changed('slot_id', 'change_id')}\nOR (OLD.status IN {_ACTIVE})\n   <> (NEW.status IN {_ACTIVE})",
    ),
    guards.function(
        "booking_activity_turns",
        f"""
        DELETE FROM booking_occupancy WHERE activity_id = NEW.id;
        IF NEW.exclusive THEN
            INSERT INTO booking_occupancy (reservation_id, activity_id, during)
            SELECT r.id, r.activity_id, tstzmultirange(tstzrange(r.starts_at, r.ends_at))
                + CASE WHEN s.id IS NULL THEN '{{}}' ELSE tstzmultirange(tstzrange(s.starts_at, s.ends_at)) END
            FROM booking_reservation r LEFT JOIN booking_change c ON c.id = r.change_id
            LEFT JOIN catalogue_slot s ON s.id = c.slot_id
            WHERE r.activity_id = NEW.id AND r.status IN {_ACTIVE} AND greatest(r.ends_at, s.ends_at) > now();
        END IF;
        RETURN NULL;
    EXCEPTION WHEN exclusion_violation THEN
        RAISE EXCEPTION 'several parties have booked this activity for one time: it cannot be for one party only'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'activity_has_parties';
        """,
    ),
    guards.trigger(
        "activity_turns",
        "AFTER UPDATE OF exclusive",
        _ACTIVITY,
        calls="booking_activity_turns",
        condition="OLD.exclusive <> NEW.exclusive",
    ),
)

# What guests have bought of an activity stays what it was.
_ACTIVITY_IS_SOLD = (
    guards.function(
        "booking_activity_is_sold",
        "PERFORM FROM catalogue_activity WHERE id = NEW.id FOR UPDATE;  -- waits for the sales of this moment",
        guards.refuse_if(
            """
            ((OLD.operator_id, OLD.currency) IS DISTINCT FROM (NEW.operator_id, NEW.currency)
                AND EXISTS (SELECT FROM catalogue_slot WHERE activity_id = NEW.id))
            OR ((OLD.operator_id, OLD.currency, OLD.timezone)
                IS DISTINCT FROM (NEW.operator_id, NEW.currency, NEW.timezone)
                AND EXISTS (SELECT FROM booking_reservation WHERE activity_id = NEW.id))
            """,
            "this activity has been sold: its operator, currency and time zone are fixed",
            constraint="activity_is_sold",
        ),
        guards.refuse_if(
            """
            OLD.exclusive AND NOT NEW.exclusive AND EXISTS (
                SELECT FROM booking_occupancy o JOIN booking_reservation r ON r.id = o.reservation_id
                WHERE o.activity_key = uuidrange(NEW.id, NEW.id, '[]') AND upper(o.during) > now() AND r.exclusive)
            """,
            "guests have bought this activity for themselves: it stays exclusive until they have been there",
            constraint="activity_has_its_party",
        ),
        "RETURN NEW;",
    ),
    guards.trigger(
        "activity_is_sold",
        "BEFORE UPDATE OF operator_id, currency, timezone, exclusive",
        _ACTIVITY,
        calls="booking_activity_is_sold",
        condition=changed("operator_id", "currency", "timezone", "exclusive"),
    ),
)

# A departure that was sold stays where it is, also when everybody has left it again: late money may seat them.
_SLOT_IS_SOLD = (
    guards.function(
        "booking_slot_is_sold",
        "PERFORM FROM catalogue_activity WHERE id = OLD.activity_id FOR UPDATE;  -- waits for the sales of this moment",
        guards.refuse_if(
            """
            OLD.sold_at IS NOT NULL OR OLD.reserved > 0
                OR EXISTS (SELECT FROM booking_reservation WHERE slot_id = OLD.id)
            """,
            "this departure has been sold: its activity and its time are fixed",
            constraint="slot_is_sold",
        ),
        "RETURN NEW;",
    ),
    guards.trigger(
        "slot_is_sold",
        "BEFORE UPDATE OF activity_id, starts_at, ends_at",
        _SLOT,
        calls="booking_slot_is_sold",
        condition=changed("activity_id", "starts_at", "ends_at"),
    ),
    guards.trigger(
        "slot_stays_sold",
        "BEFORE UPDATE OF sold_at",
        _SLOT,
        calls="booking_refuse_change",
        condition="OLD.sold_at IS NOT NULL AND NEW.sold_at IS DISTINCT FROM OLD.sold_at",
    ),
)

GUARDS = (
    guards.function("booking_refuse_change", guards.refuse("what was sold does not change", constraint="TG_NAME")),
    *_AS_OFFERED,
    *_OCCUPANCY,
    *_ACTIVITY_IS_SOLD,
    *_SLOT_IS_SOLD,
)
