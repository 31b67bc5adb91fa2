"""What the database refuses and writes of what is on sale by itself, as ``catalogue/guards.py`` lists it."""

from django.db import migrations

import common.guard_migrations


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0001_initial"),
    ]

    operations = [
        common.guard_migrations.PutGuard(
            name="FUNCTION catalogue_refuse",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION catalogue_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation';
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION catalogue_note_offer",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION catalogue_note_offer(
                operator uuid, activity uuid, slot uuid, what text, before jsonb, after jsonb,
                unit text DEFAULT '', currency text DEFAULT ''
            ) RETURNS void LANGUAGE sql AS $$
                INSERT INTO catalogue_offerhistory (at, operator_id, activity_id, slot_id, what, unit, currency, before, after,
                                                    actor, reason)
                SELECT clock_timestamp(), operator, activity, slot, what, unit, currency, before, after,
                       left(coalesce(nullif(current_setting('holdfast.actor', true), ''), 'database:' || session_user), 200),
                       coalesce(current_setting('holdfast.reason', true), '')
            $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION catalogue_slot_history",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION catalogue_slot_history() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                operator uuid;
            BEGIN
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
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER slot_history_of_update ON catalogue_slot",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER slot_history_of_update
                AFTER UPDATE OF capacity, is_closed
                ON catalogue_slot
                FOR EACH ROW WHEN (
                    (OLD.capacity, OLD.is_closed)
                        IS DISTINCT FROM
                        (NEW.capacity, NEW.is_closed)
                )
                EXECUTE FUNCTION catalogue_slot_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER slot_history_of_delete ON catalogue_slot",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER slot_history_of_delete
                AFTER DELETE
                ON catalogue_slot
                FOR EACH ROW
                EXECUTE FUNCTION catalogue_slot_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION catalogue_slots_made",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION catalogue_slots_made() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM catalogue_note_offer(
                    r.operator_id, r.id, NULL, 'departures', NULL,
                    jsonb_build_object('departures', count(*), 'places', sum(m.capacity),
                                       'first', min(m.starts_at), 'last', max(m.starts_at)))
                    FROM made m JOIN catalogue_activity r ON r.id = m.activity_id GROUP BY r.id;
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER slot_history_of_insert ON catalogue_slot",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER slot_history_of_insert
                AFTER INSERT
                ON catalogue_slot
                REFERENCING NEW TABLE AS made
                FOR EACH STATEMENT
                EXECUTE FUNCTION catalogue_slots_made()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION catalogue_note_price",
            sql=common.guard_migrations.Sql("""
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
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION catalogue_rate_history",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION catalogue_rate_history() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
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
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER rate_history ON catalogue_rate",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER rate_history
                AFTER INSERT OR DELETE
                ON catalogue_rate
                FOR EACH ROW
                EXECUTE FUNCTION catalogue_rate_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER rate_history_of_update ON catalogue_rate",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER rate_history_of_update
                AFTER UPDATE OF amount, unit, activity_id
                ON catalogue_rate
                FOR EACH ROW WHEN (
                    (OLD.amount, OLD.unit, OLD.activity_id)
                        IS DISTINCT FROM
                        (NEW.amount, NEW.unit, NEW.activity_id)
                )
                EXECUTE FUNCTION catalogue_rate_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON catalogue_rate",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON catalogue_rate
                FOR EACH STATEMENT
                EXECUTE FUNCTION catalogue_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION catalogue_activity_history",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION catalogue_activity_history() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM catalogue_note_offer(NEW.operator_id, NEW.id, NULL, what, before, after)
                    FROM (VALUES ('is_active', to_jsonb(OLD.is_active), to_jsonb(NEW.is_active)),
                                 ('exclusive', to_jsonb(OLD.exclusive), to_jsonb(NEW.exclusive)),
                                 ('terms', to_jsonb(OLD.terms), to_jsonb(NEW.terms)),
                                 ('plan', to_jsonb(OLD.plan), to_jsonb(NEW.plan)),
                                 ('currency', to_jsonb(OLD.currency), to_jsonb(NEW.currency))) AS changed(what, before, after)
                    WHERE before <> after;
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER activity_history ON catalogue_activity",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER activity_history
                AFTER UPDATE OF is_active, exclusive, currency, terms, plan
                ON catalogue_activity
                FOR EACH ROW WHEN (
                    (OLD.is_active, OLD.exclusive, OLD.currency, OLD.terms, OLD.plan)
                        IS DISTINCT FROM
                        (NEW.is_active, NEW.exclusive, NEW.currency, NEW.terms, NEW.plan)
                )
                EXECUTE FUNCTION catalogue_activity_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER offer_history_is_append_only ON catalogue_offerhistory",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER offer_history_is_append_only
                BEFORE UPDATE OR DELETE
                ON catalogue_offerhistory
                FOR EACH ROW
                EXECUTE FUNCTION catalogue_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON catalogue_offerhistory",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON catalogue_offerhistory
                FOR EACH STATEMENT
                EXECUTE FUNCTION catalogue_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER offer_history_is_of_triggers ON catalogue_offerhistory",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER offer_history_is_of_triggers
                BEFORE INSERT
                ON catalogue_offerhistory
                FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
                EXECUTE FUNCTION catalogue_refuse()
            """),
        ),
    ]
