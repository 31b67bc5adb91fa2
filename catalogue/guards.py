"""Guards of the offer: capacity, closing and prices keep a history (P11).

Who and why come from two settings of the transaction (``common.database.name_actor``); without them a row says which
user of the database it was. A sale costs nothing of it: the triggers of a departure are asked only about the columns
that a sale does not write. Departures are made by the thousand: a statement that makes some is one row, with how many
and from when to when; what each began with is in the departure itself, or in the first ``before`` of its own history.
"""

from common import guards
from common.guards import Guard, changed

AFTER = ()

_REFUSE = "catalogue_refuse"
_ACTIVITY, _SLOT, _RATE, _HISTORY = "catalogue_activity", "catalogue_slot", "catalogue_rate", "catalogue_offerhistory"

_NOTE_OFFER = Guard(
    "FUNCTION catalogue_note_offer",
    f"""\
CREATE OR REPLACE FUNCTION catalogue_note_offer(
    operator uuid, activity uuid, slot uuid, what text, before jsonb, after jsonb,
    unit text DEFAULT '', currency text DEFAULT ''
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO catalogue_offerhistory (at, operator_id, activity_id, slot_id, what, unit, currency, before, after,
                                        actor, reason)
    SELECT clock_timestamp(), operator, activity, slot, what, unit, currency, before, after,
           {guards.ACTOR},
           coalesce(current_setting('holdfast.reason', true), '')
$$""",
)

_SLOTS = (
    guards.function(
        "catalogue_slot_history",
        """
        SELECT operator_id INTO operator FROM catalogue_activity WHERE id = OLD.activity_id;
        IF TG_OP = 'DELETE' THEN
            PERFORM catalogue_note_offer(operator, OLD.activity_id, OLD.id, 'departure',
                                       jsonb_build_object('starts_at', OLD.starts_at, 'capacity', OLD.capacity), NULL);
            RETURN NULL;
        END IF;
        IF OLD.capacity <> NEW.capacity THEN
            PERFORM catalogue_note_offer(operator, NEW.activity_id, NEW.id, 'capacity',
                                       to_jsonb(OLD.capacity), to_jsonb(NEW.capacity));
        END IF;
        IF OLD.is_closed <> NEW.is_closed THEN
            PERFORM catalogue_note_offer(operator, NEW.activity_id, NEW.id, 'is_closed',
                                       to_jsonb(OLD.is_closed), to_jsonb(NEW.is_closed));
        END IF;
        RETURN NULL;
        """,
        declare="operator uuid;",
    ),
    guards.trigger(
        "slot_history_of_update",
        "AFTER UPDATE OF capacity, is_closed",
        _SLOT,
        calls="catalogue_slot_history",
        condition=changed("capacity", "is_closed"),
    ),
    guards.trigger("slot_history_of_delete", "AFTER DELETE", _SLOT, calls="catalogue_slot_history"),
    guards.function(
        "catalogue_slots_made",
        """
        PERFORM catalogue_note_offer(
            r.operator_id, r.id, NULL, 'departures', NULL,
            jsonb_build_object('departures', count(*), 'places', sum(m.capacity),
                               'first', min(m.starts_at), 'last', max(m.starts_at)))
            FROM made m JOIN catalogue_activity r ON r.id = m.activity_id GROUP BY r.id;
        RETURN NULL;
        """,
    ),
    guards.of_statement("slot_history_of_insert", "AFTER INSERT", _SLOT, calls="catalogue_slots_made", new_rows="made"),
)

# A price is of an activity and a unit; one that goes to another of either ends here and begins there.
_RATES = (
    Guard(
        "FUNCTION catalogue_note_price",
        """\
CREATE OR REPLACE FUNCTION catalogue_note_price(of_activity uuid, unit text, before jsonb, after jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    activity record;
BEGIN
    SELECT operator_id, currency INTO activity FROM catalogue_activity WHERE id = of_activity;
    IF NOT FOUND THEN  -- deleted by this transaction, before its prices
        SELECT h.operator_id, h.currency INTO activity FROM catalogue_offerhistory h
            WHERE h.activity_id = of_activity AND h.what = 'price' ORDER BY h.id DESC LIMIT 1;
    END IF;
    PERFORM catalogue_note_offer(activity.operator_id, of_activity, NULL, 'price', before, after, unit,
                               activity.currency);
END $$""",
    ),
    guards.function(
        "catalogue_rate_history",
        """
        IF TG_OP = 'UPDATE' AND (OLD.activity_id, OLD.unit) = (NEW.activity_id, NEW.unit) THEN
            PERFORM catalogue_note_price(NEW.activity_id, NEW.unit, to_jsonb(OLD.amount), to_jsonb(NEW.amount));
            RETURN NULL;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            PERFORM catalogue_note_price(OLD.activity_id, OLD.unit, to_jsonb(OLD.amount), NULL);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            PERFORM catalogue_note_price(NEW.activity_id, NEW.unit, NULL, to_jsonb(NEW.amount));
        END IF;
        RETURN NULL;
        """,
    ),
    guards.trigger("rate_history", "AFTER INSERT OR DELETE", _RATE, calls="catalogue_rate_history"),
    guards.trigger(
        "rate_history_of_update",
        "AFTER UPDATE OF amount, unit, activity_id",
        _RATE,
        calls="catalogue_rate_history",
        condition=changed("amount", "unit", "activity_id"),
    ),
    guards.never_emptied(_RATE, by=_REFUSE),
)

_ACTIVITIES = (
    guards.function(
        "catalogue_activity_history",
        """
        PERFORM catalogue_note_offer(NEW.operator_id, NEW.id, NULL, what, before, after)
            FROM (VALUES ('is_active', to_jsonb(OLD.is_active), to_jsonb(NEW.is_active)),
                         ('exclusive', to_jsonb(OLD.exclusive), to_jsonb(NEW.exclusive)),
                         ('terms', to_jsonb(OLD.terms), to_jsonb(NEW.terms)),
                         ('plan', to_jsonb(OLD.plan), to_jsonb(NEW.plan)),
                         ('currency', to_jsonb(OLD.currency), to_jsonb(NEW.currency))) AS changed(what, before, after)
            WHERE before <> after;
        RETURN NULL;
        """,
    ),
    guards.trigger(
        "activity_history",
        "AFTER UPDATE OF is_active, exclusive, currency, terms, plan",
        _ACTIVITY,
        calls="catalogue_activity_history",
        condition=changed("is_active", "exclusive", "currency", "terms", "plan"),
    ),
)

GUARDS = (
    guards.refusal(_REFUSE, "it is append-only"),
    _NOTE_OFFER,
    *_SLOTS,
    *_RATES,
    *_ACTIVITIES,
    *guards.append_only(_HISTORY, "offer_history_is_append_only", by=_REFUSE),
    guards.of_statement(
        "offer_history_is_of_triggers",
        "BEFORE INSERT",
        _HISTORY,
        calls=_REFUSE,
        condition="pg_trigger_depth() = 0",
    ),
)
