"""Capacity, closing and prices have a history that the database writes, whoever changes them (P11).

Who and why come from two settings of the transaction (``common.database.name_actor``); without them a row says which user
of the database it was. A sale costs nothing of it: the triggers of a departure are asked only about the columns that a sale
does not write. Departures are made by the thousand: a statement that makes some is one row, with how many and from when to
when; what each began with is in the departure itself, or in the first ``before`` of its own history.
"""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION booking_note_offer(operator uuid, resource uuid, slot uuid, what text, before jsonb, after jsonb,
                                   unit text DEFAULT '', currency text DEFAULT '') RETURNS void LANGUAGE sql AS $$
    INSERT INTO booking_offerhistory (at, operator_id, resource_id, slot_id, what, unit, currency, before, after, actor,
                                      reason)
    SELECT clock_timestamp(), operator, resource, slot, what, unit, currency, before, after,
           left(coalesce(nullif(current_setting('holdfast.actor', true), ''), 'database:' || session_user), 200),
           coalesce(current_setting('holdfast.reason', true), '')
$$;

CREATE FUNCTION booking_slot_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    operator uuid;
BEGIN
    SELECT operator_id INTO operator FROM booking_resource WHERE id = OLD.resource_id;
    IF TG_OP = 'DELETE' THEN
        PERFORM booking_note_offer(operator, OLD.resource_id, OLD.id, 'departure',
                                   jsonb_build_object('starts_at', OLD.starts_at, 'capacity', OLD.capacity), NULL);
        RETURN NULL;
    END IF;
    IF OLD.capacity <> NEW.capacity THEN
        PERFORM booking_note_offer(operator, NEW.resource_id, NEW.id, 'capacity',
                                   to_jsonb(OLD.capacity), to_jsonb(NEW.capacity));
    END IF;
    IF OLD.is_closed <> NEW.is_closed THEN
        PERFORM booking_note_offer(operator, NEW.resource_id, NEW.id, 'is_closed',
                                   to_jsonb(OLD.is_closed), to_jsonb(NEW.is_closed));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER slot_history_of_update AFTER UPDATE OF capacity, is_closed ON booking_slot
    FOR EACH ROW WHEN ((OLD.capacity, OLD.is_closed) IS DISTINCT FROM (NEW.capacity, NEW.is_closed))
    EXECUTE FUNCTION booking_slot_history();
CREATE TRIGGER slot_history_of_delete AFTER DELETE ON booking_slot
    FOR EACH ROW EXECUTE FUNCTION booking_slot_history();

CREATE FUNCTION booking_slots_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM booking_note_offer(
        r.operator_id, r.id, NULL, 'departures', NULL,
        jsonb_build_object('departures', count(*), 'places', sum(m.capacity),
                           'first', min(m.starts_at), 'last', max(m.starts_at)))
        FROM made m JOIN booking_resource r ON r.id = m.resource_id GROUP BY r.id;
    RETURN NULL;
END $$;
CREATE TRIGGER slot_history_of_insert AFTER INSERT ON booking_slot REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION booking_slots_made();

-- A price is of an activity and a unit; one that goes to another of either ends here and begins there.
CREATE FUNCTION booking_note_price(of_resource uuid, unit text, before jsonb, after jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    activity record;
BEGIN
    SELECT operator_id, currency INTO activity FROM booking_resource WHERE id = of_resource;
    IF NOT FOUND THEN  -- deleted by this transaction, before its prices
        SELECT h.operator_id, h.currency INTO activity FROM booking_offerhistory h
            WHERE h.resource_id = of_resource AND h.what = 'price' ORDER BY h.id DESC LIMIT 1;
    END IF;
    PERFORM booking_note_offer(activity.operator_id, of_resource, NULL, 'price', before, after, unit, activity.currency);
END $$;
CREATE FUNCTION booking_rate_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.resource_id, OLD.unit) = (NEW.resource_id, NEW.unit) THEN
        PERFORM booking_note_price(NEW.resource_id, NEW.unit, to_jsonb(OLD.amount), to_jsonb(NEW.amount));
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM booking_note_price(OLD.resource_id, OLD.unit, to_jsonb(OLD.amount), NULL);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM booking_note_price(NEW.resource_id, NEW.unit, NULL, to_jsonb(NEW.amount));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER rate_history AFTER INSERT OR DELETE ON booking_rate
    FOR EACH ROW EXECUTE FUNCTION booking_rate_history();
CREATE TRIGGER rate_history_of_update AFTER UPDATE OF amount, unit, resource_id ON booking_rate
    FOR EACH ROW WHEN ((OLD.amount, OLD.unit, OLD.resource_id) IS DISTINCT FROM (NEW.amount, NEW.unit, NEW.resource_id))
    EXECUTE FUNCTION booking_rate_history();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON booking_rate
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();

CREATE FUNCTION booking_resource_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM booking_note_offer(NEW.operator_id, NEW.id, NULL, what, before, after)
        FROM (VALUES ('is_active', to_jsonb(OLD.is_active), to_jsonb(NEW.is_active)),
                     ('exclusive', to_jsonb(OLD.exclusive), to_jsonb(NEW.exclusive)),
                     ('currency', to_jsonb(OLD.currency), to_jsonb(NEW.currency))) AS changed(what, before, after)
        WHERE before <> after;
    RETURN NULL;
END $$;
CREATE TRIGGER resource_history AFTER UPDATE OF is_active, exclusive, currency ON booking_resource
    FOR EACH ROW WHEN ((OLD.is_active, OLD.exclusive, OLD.currency)
                       IS DISTINCT FROM (NEW.is_active, NEW.exclusive, NEW.currency))
    EXECUTE FUNCTION booking_resource_history();

CREATE TRIGGER offer_history_is_append_only BEFORE UPDATE OR DELETE ON booking_offerhistory
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON booking_offerhistory
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER offer_history_is_of_triggers BEFORE INSERT ON booking_offerhistory
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION payments_refuse();
"""

BACKWARD = """
DROP TRIGGER offer_history_is_of_triggers ON booking_offerhistory;
DROP TRIGGER is_never_emptied ON booking_offerhistory;
DROP TRIGGER offer_history_is_append_only ON booking_offerhistory;
DROP TRIGGER resource_history ON booking_resource;
DROP TRIGGER is_never_emptied ON booking_rate;
DROP TRIGGER rate_history_of_update ON booking_rate;
DROP TRIGGER rate_history ON booking_rate;
DROP TRIGGER slot_history_of_insert ON booking_slot;
DROP TRIGGER slot_history_of_delete ON booking_slot;
DROP TRIGGER slot_history_of_update ON booking_slot;
DROP FUNCTION booking_resource_history(), booking_rate_history(), booking_note_price(uuid, text, jsonb, jsonb),
    booking_slots_made(), booking_slot_history(),
    booking_note_offer(uuid, uuid, uuid, text, jsonb, jsonb, text, text);
"""


class Migration(migrations.Migration):
    """Triggers that write and keep the history of what is offered."""

    dependencies: ClassVar = [("booking", "0016_offer_history"), ("payments", "0003_guards")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
