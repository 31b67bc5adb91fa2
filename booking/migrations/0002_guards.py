"""What the database refuses and writes of reservations by itself, as ``booking/guards.py`` lists it."""

from django.db import migrations

import common.guard_migrations


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0001_initial"),
        ("catalogue", "0002_guards"),
        ("payments", "0002_guards"),
    ]

    operations = [
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_reservation_moves",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_reservation_moves() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
                    ('awaiting_payment', 'pending'), ('awaiting_payment', 'confirmed'), ('awaiting_payment', 'expired'),
                        ('awaiting_payment', 'cancelled'), ('awaiting_payment', 'failed'), ('awaiting_payment', 'paid'),
                    ('pending', 'confirmed'), ('pending', 'expired'), ('pending', 'cancelled'), ('pending', 'failed'),
                        ('pending', 'paid'),
                    ('confirmed', 'cancelled'), ('confirmed', 'failed'), ('confirmed', 'paid'),
                        ('confirmed', 'refunded'),
                    ('expired', 'paid'),
                    ('failed', 'paid'),
                    ('paid', 'confirmed'), ('paid', 'cancelled'), ('paid', 'refunded')
                ) THEN
                    RAISE EXCEPTION 'a reservation that is % cannot become %', OLD.status, NEW.status
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_transition';
                END IF;
                IF OLD.status <> NEW.status AND (OLD.changed_at, OLD.changed_by, OLD.changed_because)
                    = (NEW.changed_at, NEW.changed_by, NEW.changed_because) THEN
                    RAISE EXCEPTION 'a change of status must say when, who and why'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_change_is_explained';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_moves ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_moves
                BEFORE UPDATE OF status
                ON booking_reservation
                FOR EACH ROW
                EXECUTE FUNCTION booking_reservation_moves()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_reservation_begins",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_reservation_begins() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF (NEW.status = 'awaiting_payment') <> (NEW.pay_by = 'provider' AND NEW.amount > 0)
                    OR (NEW.status <> 'awaiting_payment' AND NEW.status NOT IN ('pending', 'confirmed'))
                    OR (NEW.status = 'awaiting_payment') <> (NEW.attempts = 1) OR NEW.attempts > 1 THEN
                    RAISE EXCEPTION 'a reservation cannot begin as %', NEW.status
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_transition';
                END IF;
                IF NEW.amount_owed <> NEW.amount OR NEW.amount_proven <> 0 THEN
                    RAISE EXCEPTION 'a reservation begins with all of it owed, and none proven'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_sums';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_begins ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_begins
                BEFORE INSERT
                ON booking_reservation
                FOR EACH ROW
                EXECUTE FUNCTION booking_reservation_begins()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_reservation_history",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_reservation_history() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO booking_history (reservation_id, at, from_status, to_status, actor, reason)
                VALUES (NEW.id, NEW.changed_at, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END, NEW.status,
                        NEW.changed_by, NEW.changed_because);
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_history_of_insert ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_history_of_insert
                AFTER INSERT
                ON booking_reservation
                FOR EACH ROW
                EXECUTE FUNCTION booking_reservation_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_history_of_update ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_history_of_update
                AFTER UPDATE OF status
                ON booking_reservation
                FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
                EXECUTE FUNCTION booking_reservation_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_reservation_amount_history",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_reservation_amount_history() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO booking_history (reservation_id, at, from_status, to_status, actor, reason)
                VALUES (NEW.id, clock_timestamp(), NEW.status, NEW.status,
                        left(coalesce(nullif(current_setting('holdfast.actor', true), ''), 'database:' || session_user), 200),
                        format('%s places, amount %s %s → %s places, amount %s %s, in minor units',
                               OLD.places, OLD.amount, OLD.currency, NEW.places, NEW.amount, NEW.currency));
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_history_of_amount ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_history_of_amount
                AFTER UPDATE OF places, amount, currency
                ON booking_reservation
                FOR EACH ROW WHEN (
                    (OLD.places, OLD.currency)
                        IS DISTINCT FROM
                        (NEW.places, NEW.currency)
                    OR OLD.amount IS DISTINCT FROM NEW.amount AND OLD.changed_at IS NOT DISTINCT FROM NEW.changed_at
                )
                EXECUTE FUNCTION booking_reservation_amount_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_reservation_goes_elsewhere",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_reservation_goes_elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF (OLD.changed_at, OLD.changed_by, OLD.changed_because)
                    = (NEW.changed_at, NEW.changed_by, NEW.changed_because)
                    OR OLD.status <> NEW.status OR OLD.activity_id <> NEW.activity_id
                    OR OLD.slot_id IS NULL OR NEW.slot_id IS NULL THEN
                    RAISE EXCEPTION 'a reservation moves from one departure to another of its activity, and says when, who and why'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_move';
                END IF;
                INSERT INTO booking_history (reservation_id, at, from_status, to_status, actor, reason, moved_from_id)
                VALUES (NEW.id, NEW.changed_at, OLD.status, NEW.status, NEW.changed_by, NEW.changed_because, OLD.slot_id);
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_goes_elsewhere ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_goes_elsewhere
                BEFORE UPDATE OF slot_id
                ON booking_reservation
                FOR EACH ROW WHEN (OLD.slot_id IS DISTINCT FROM NEW.slot_id)
                EXECUTE FUNCTION booking_reservation_goes_elsewhere()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER history_is_append_only ON booking_history",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER history_is_append_only
                BEFORE UPDATE OR DELETE
                ON booking_history
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON booking_history",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON booking_history
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER unit_is_a_snapshot ON booking_unit",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER unit_is_a_snapshot
                BEFORE UPDATE OR DELETE
                ON booking_unit
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON booking_unit",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON booking_unit
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_is_kept ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_is_kept
                BEFORE DELETE
                ON booking_reservation
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON booking_reservation
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_sold_is_its_units",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_sold_is_its_units() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                whose uuid;
                sale record;
                units record;
                changes record;
            BEGIN
                CASE TG_TABLE_NAME
                    WHEN 'booking_reservation' THEN whose := NEW.id;
                    ELSE whose := NEW.reservation_id;
                END CASE;
                SELECT r.id, r.amount, r.places INTO sale FROM booking_reservation r WHERE r.id = whose;
                SELECT coalesce(sum(u.amount), 0) AS amount, count(*) AS places INTO units FROM booking_unit u
                    WHERE u.reservation_id = whose;
                IF TG_TABLE_NAME <> 'booking_unit'
                   OR (sale.amount, sale.places) IS DISTINCT FROM (units.amount, units.places) THEN
                    SELECT coalesce(sum(a.amount), 0) AS amount, count(a.unit_id) AS places INTO changes
                        FROM booking_adjustment a WHERE a.reservation_id = whose AND a.kind IN ('extra', 'fee', 'discount', 'withdrawal', 'unit', 'change');
                    units.amount := units.amount + changes.amount;
                    units.places := units.places - changes.places;
                END IF;
                IF (sale.amount, sale.places) IS DISTINCT FROM (units.amount, units.places) THEN
                    RAISE EXCEPTION 'reservation % was sold for % in % places, and its units and changes come to % in %', whose, sale.amount, sale.places, units.amount, units.places
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_sold_is_its_units';
                END IF;
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER adjustment_changes_what_is_sold ON booking_adjustment",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER adjustment_changes_what_is_sold
                AFTER INSERT
                ON booking_adjustment
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.kind IN ('extra', 'fee', 'discount', 'withdrawal', 'unit', 'change'))
                EXECUTE FUNCTION booking_sold_is_its_units()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER unit_is_sold_with_its_reservation ON booking_unit",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER unit_is_sold_with_its_reservation
                AFTER INSERT
                ON booking_unit
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW
                EXECUTE FUNCTION booking_sold_is_its_units()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_sold_is_its_units ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER reservation_sold_is_its_units
                AFTER UPDATE OF amount, places
                ON booking_reservation
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (
                    (OLD.amount, OLD.places)
                        IS DISTINCT FROM
                        (NEW.amount, NEW.places)
                )
                EXECUTE FUNCTION booking_sold_is_its_units()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_sums_are_right",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_sums_are_right() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                whose uuid;
                sums record;
            BEGIN
                CASE TG_TABLE_NAME
                    WHEN 'payments_payment' THEN whose := NEW.managed_id;
                    WHEN 'booking_reservation' THEN whose := NEW.id;
                    ELSE whose := NEW.reservation_id;
                END CASE;
                SELECT r.amount_owed AS owed, r.amount_proven AS proven, r.amount_collected AS collected,
                       CASE WHEN r.status IN ('expired', 'failed') THEN 0
                            ELSE r.amount + (SELECT coalesce(sum(a.amount), 0) FROM booking_adjustment a
                                             WHERE a.reservation_id = r.id AND a.kind NOT IN ('extra', 'fee', 'discount', 'withdrawal', 'unit', 'change')) END AS owed_by_rows,
                       (SELECT coalesce(sum(c.amount), 0) FROM booking_receipt c
                        WHERE c.reservation_id = r.id AND c.approved_at IS NOT NULL) AS collected_by_rows,
                       (SELECT coalesce(sum(p.amount_captured - p.amount_refunded), 0) FROM payments_payment p
                        WHERE p.managed_id = r.id AND p.managed_by = 'reservation' AND p.operator_id = r.operator_id
                          AND p.currency = r.currency) AS proven_by_rows
                    INTO sums FROM booking_reservation r WHERE r.id = whose;
                IF (sums.owed, sums.proven, sums.collected)
                    IS DISTINCT FROM (sums.owed_by_rows, sums.proven_by_rows, sums.collected_by_rows) THEN
                    RAISE EXCEPTION 'reservation % owes %, % are proven and % collected; its rows come to %, % and %, in minor units', whose, sums.owed, sums.proven, sums.collected, sums.owed_by_rows, sums.proven_by_rows, sums.collected_by_rows
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_sums';
                END IF;
                IF sums IS NULL THEN
                    RAISE EXCEPTION 'there is no reservation %', whose
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_sums';
                END IF;
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_sums ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER reservation_sums
                AFTER UPDATE OF amount, amount_owed, amount_proven, amount_collected, status, currency
                ON booking_reservation
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (
                    (OLD.amount, OLD.amount_owed, OLD.amount_proven, OLD.amount_collected, OLD.currency)
                        IS DISTINCT FROM
                        (NEW.amount, NEW.amount_owed, NEW.amount_proven, NEW.amount_collected, NEW.currency)
                    OR (OLD.status IN ('expired', 'failed')) <> (NEW.status IN ('expired', 'failed'))
                )
                EXECUTE FUNCTION booking_sums_are_right()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_is_in_the_sums ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER payment_is_in_the_sums
                AFTER UPDATE OF amount_captured, amount_refunded, currency
                ON payments_payment
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (
                    NEW.managed_by = 'reservation' AND
                    (OLD.amount_captured, OLD.amount_refunded, OLD.currency)
                        IS DISTINCT FROM
                        (NEW.amount_captured, NEW.amount_refunded, NEW.currency)
                )
                EXECUTE FUNCTION booking_sums_are_right()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER adjustment_is_in_the_sums ON booking_adjustment",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER adjustment_is_in_the_sums
                AFTER INSERT
                ON booking_adjustment
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW
                EXECUTE FUNCTION booking_sums_are_right()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_begins_with_its_sums ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER reservation_begins_with_its_sums
                AFTER INSERT
                ON booking_reservation
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.amount_collected <> 0)
                EXECUTE FUNCTION booking_sums_are_right()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER receipt_is_in_the_sums ON booking_receipt",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER receipt_is_in_the_sums
                AFTER INSERT OR UPDATE
                ON booking_receipt
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW
                EXECUTE FUNCTION booking_sums_are_right()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER adjustment_is_append_only ON booking_adjustment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER adjustment_is_append_only
                BEFORE UPDATE OR DELETE
                ON booking_adjustment
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON booking_adjustment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON booking_adjustment
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_reservation_has_its_money",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_reservation_has_its_money() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF OLD.status = 'awaiting_payment' AND NEW.status = 'confirmed'
                    AND NEW.amount_proven = 0 AND NEW.amount_collected = 0 AND NEW.amount_owed > 0 THEN
                    RAISE EXCEPTION 'reservation % is not held, and no part of its money has come', NEW.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_confirmed_has_part';
                END IF;
                IF NEW.status = 'refunded' AND OLD.status <> 'refunded'
                    AND (NEW.amount_proven <> 0 OR NEW.amount_collected <> 0) THEN
                    RAISE EXCEPTION 'reservation % is not refunded: money of it is not back', NEW.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_refunded_is_back';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_has_its_money ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_has_its_money
                BEFORE UPDATE OF status
                ON booking_reservation
                FOR EACH ROW
                EXECUTE FUNCTION booking_reservation_has_its_money()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_operator_is_fixed",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_operator_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'reservation % keeps its operator', OLD.id
                    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'reservation_operator_is_fixed';
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_operator_is_fixed ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_operator_is_fixed
                BEFORE UPDATE OF operator_id
                ON booking_reservation
                FOR EACH ROW WHEN (OLD.operator_id IS DISTINCT FROM NEW.operator_id)
                EXECUTE FUNCTION booking_operator_is_fixed()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_payments_are_its_own",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_payments_are_its_own() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                whose uuid;
                sale record;
                own record;
            BEGIN
                CASE TG_TABLE_NAME
                    WHEN 'payments_payment' THEN whose := NEW.managed_id;
                    ELSE whose := NEW.id;
                END CASE;
                SELECT r.attempts, r.payment_id, r.operator_id, r.currency INTO sale FROM booking_reservation r
                    WHERE r.id = whose;
                SELECT count(*) AS attempts, count(*) FILTER (WHERE p.id = sale.payment_id) AS shown INTO own
                    FROM payments_payment p
                    WHERE p.managed_id = whose AND p.managed_by = 'reservation' AND p.operator_id = sale.operator_id
                      AND p.currency = sale.currency;
                IF (sale.attempts, least(sale.attempts, 1)) IS DISTINCT FROM (own.attempts, own.shown) THEN
                    RAISE EXCEPTION 'the payment of reservation % is not driven by it, or it counts % payments and has %', whose, sale.attempts, own.attempts
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_payments_are_its_own';
                END IF;
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_payments_are_its_own ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER reservation_payments_are_its_own
                AFTER INSERT
                ON booking_reservation
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW
                EXECUTE FUNCTION booking_payments_are_its_own()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_payments_stay_its_own ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER reservation_payments_stay_its_own
                AFTER UPDATE OF payment_id, attempts
                ON booking_reservation
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (
                    (OLD.payment_id, OLD.attempts)
                        IS DISTINCT FROM
                        (NEW.payment_id, NEW.attempts)
                )
                EXECUTE FUNCTION booking_payments_are_its_own()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_is_counted ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER payment_is_counted
                AFTER INSERT
                ON payments_payment
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.managed_by = 'reservation')
                EXECUTE FUNCTION booking_payments_are_its_own()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_pending_is_held",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_pending_is_held() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NOT EXISTS (
                    SELECT 1 FROM payments_payment p
                    WHERE p.managed_id = NEW.id AND p.managed_by = 'reservation' AND p.held_at IS NOT NULL
                ) THEN
                    RAISE EXCEPTION 'no money of reservation % is held', NEW.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_pending_is_held';
                END IF;
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_pending_is_held ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER reservation_pending_is_held
                AFTER UPDATE OF status
                ON booking_reservation
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (
                    NEW.status = 'pending' AND OLD.status <> NEW.status
                    AND NEW.pay_by = 'provider'
                )
                EXECUTE FUNCTION booking_pending_is_held()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_receipt_is_kept",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_receipt_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF OLD.approved_at IS NOT NULL OR OLD.declined_at IS NOT NULL OR
                (OLD.id, OLD.reservation_id, OLD.method, OLD.amount, OLD.reference, OLD.corrects_id, OLD.at,
                    OLD.actor, OLD.reason)
                    IS DISTINCT FROM
                    (NEW.id, NEW.reservation_id, NEW.method, NEW.amount, NEW.reference, NEW.corrects_id, NEW.at,
                    NEW.actor, NEW.reason) THEN
                    RAISE EXCEPTION 'receipt % is kept as it was taken', OLD.id
                        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'receipt_is_kept';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER receipt_is_kept ON booking_receipt",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER receipt_is_kept
                BEFORE UPDATE
                ON booking_receipt
                FOR EACH ROW
                EXECUTE FUNCTION booking_receipt_is_kept()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER receipt_is_not_deleted ON booking_receipt",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER receipt_is_not_deleted
                BEFORE DELETE
                ON booking_receipt
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON booking_receipt",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON booking_receipt
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_till_is_kept",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_till_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF OLD.closed_at IS NOT NULL OR (OLD.id, OLD.operator_id, OLD.name, OLD.currency, OLD.amount_opened, OLD.opened_at, OLD.opened_by)
                    IS DISTINCT FROM
                    (NEW.id, NEW.operator_id, NEW.name, NEW.currency, NEW.amount_opened, NEW.opened_at, NEW.opened_by) THEN
                    RAISE EXCEPTION 'till % is kept as it was opened and counted', OLD.id
                        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'till_is_kept';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER till_is_kept ON booking_till",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER till_is_kept
                BEFORE UPDATE
                ON booking_till
                FOR EACH ROW
                EXECUTE FUNCTION booking_till_is_kept()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER till_is_not_deleted ON booking_till",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER till_is_not_deleted
                BEFORE DELETE
                ON booking_till
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON booking_till",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON booking_till
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_receipt_in_an_open_till",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_receipt_in_an_open_till() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NOT EXISTS (
                    SELECT 1 FROM booking_till t JOIN booking_reservation r ON r.id = NEW.reservation_id
                    WHERE t.id = NEW.till_id AND t.closed_at IS NULL AND t.operator_id = r.operator_id
                      AND t.currency = r.currency
                ) THEN
                    RAISE EXCEPTION 'receipt % goes into a till that is not open, or is another''s', NEW.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_in_an_open_till';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER receipt_in_an_open_till ON booking_receipt",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER receipt_in_an_open_till
                BEFORE INSERT OR UPDATE OF till_id
                ON booking_receipt
                FOR EACH ROW WHEN (NEW.till_id IS NOT NULL)
                EXECUTE FUNCTION booking_receipt_in_an_open_till()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_change_moves",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_change_moves() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'INSERT' AND NEW.status <> 'open' THEN
                    RAISE EXCEPTION 'a change cannot begin as %', NEW.status
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'change_transition';
                END IF;
                IF TG_OP = 'INSERT' THEN RETURN NEW; END IF;
                IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
                    ('open', 'done'), ('open', 'expired'), ('open', 'cancelled'), ('open', 'failed')
                ) THEN
                    RAISE EXCEPTION 'a change that is % cannot become %', OLD.status, NEW.status
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'change_transition';
                END IF;
                IF OLD.status <> NEW.status AND (OLD.changed_at, OLD.changed_by, OLD.changed_because)
                    = (NEW.changed_at, NEW.changed_by, NEW.changed_because) THEN
                    RAISE EXCEPTION 'a change of status must say when, who and why'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'change_change_is_explained';
                END IF;
                IF (OLD.id, OLD.reservation_id, OLD.slot_id, OLD.places, OLD.sold, OLD.prices, OLD.amount,
                    OLD.amount_due, OLD.created_at, OLD.api_client_id)
                    IS DISTINCT FROM
                    (NEW.id, NEW.reservation_id, NEW.slot_id, NEW.places, NEW.sold, NEW.prices, NEW.amount,
                    NEW.amount_due, NEW.created_at, NEW.api_client_id)
                OR OLD.status <> 'open' THEN
                    RAISE EXCEPTION 'change % is kept as it was asked for', OLD.id
                        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'change_is_kept';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER change_moves ON booking_change",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER change_moves
                BEFORE INSERT OR UPDATE
                ON booking_change
                FOR EACH ROW
                EXECUTE FUNCTION booking_change_moves()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER change_is_not_deleted ON booking_change",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER change_is_not_deleted
                BEFORE DELETE
                ON booking_change
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON booking_change",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON booking_change
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_change_is_of_its_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_change_is_of_its_reservation() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                whose uuid;
                sale record;
                held record;
            BEGIN
                CASE TG_TABLE_NAME
                    WHEN 'booking_change' THEN whose := NEW.reservation_id;
                    WHEN 'payments_payment' THEN whose := NEW.managed_id;
                    ELSE whose := NEW.id;
                END CASE;
                SELECT r.change_id, r.activity_id INTO sale FROM booking_reservation r WHERE r.id = whose;
                SELECT c.id, s.activity_id INTO held FROM booking_change c JOIN catalogue_slot s ON s.id = c.slot_id
                    WHERE c.reservation_id = whose AND c.status = 'open';
                IF sale.change_id IS DISTINCT FROM held.id OR held.activity_id <> sale.activity_id THEN
                    RAISE EXCEPTION 'reservation % has another open change than it says, or one of another activity', whose
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'change_is_of_its_reservation';
                END IF;
                IF TG_TABLE_NAME = 'payments_payment' AND NOT EXISTS (
                    SELECT 1 FROM booking_change c WHERE c.reservation_id = whose AND c.id = (to_jsonb(NEW) ->> 'managed_part')::uuid) THEN
                    RAISE EXCEPTION 'a payment is of a change that reservation % has not', whose
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'change_is_of_its_reservation';
                END IF;
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER change_is_pointed_at ON booking_change",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER change_is_pointed_at
                AFTER INSERT OR UPDATE
                ON booking_change
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW
                EXECUTE FUNCTION booking_change_is_of_its_reservation()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_points_at_its_change ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER reservation_points_at_its_change
                AFTER UPDATE OF change_id
                ON booking_reservation
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (OLD.change_id IS DISTINCT FROM NEW.change_id)
                EXECUTE FUNCTION booking_change_is_of_its_reservation()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_is_of_its_change ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER payment_is_of_its_change
                AFTER INSERT
                ON payments_payment
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.managed_by = 'reservation' AND NEW.managed_part IS NOT NULL)
                EXECUTE FUNCTION booking_change_is_of_its_reservation()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_change_done_is_paid",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_change_done_is_paid() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NOT EXISTS (
                    SELECT 1 FROM payments_payment p
                    WHERE p.managed_id = NEW.reservation_id AND p.managed_part = NEW.id
                      AND (p.held_at IS NOT NULL AND p.amount >= NEW.amount_due OR p.amount_captured >= NEW.amount_due)
                ) THEN
                    RAISE EXCEPTION 'change % is not paid', NEW.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'change_done_is_paid';
                END IF;
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER change_done_is_paid ON booking_change",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER change_done_is_paid
                AFTER UPDATE OF status
                ON booking_change
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.status = 'done' AND NEW.amount_due > 0)
                EXECUTE FUNCTION booking_change_done_is_paid()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_refuse_change",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'what was sold does not change'
                    USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_reservation_as_offered",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_reservation_as_offered() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                activity record;
                departure record;
            BEGIN
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
                IF TG_OP = 'INSERT' AND (NEW.operator_id, NEW.currency, NEW.exclusive)
                    IS DISTINCT FROM (activity.operator_id, activity.currency, activity.exclusive) THEN
                    RAISE EXCEPTION 'the activity is not sold as it was offered'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_as_offered';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_as_offered_of_insert ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_as_offered_of_insert
                BEFORE INSERT
                ON booking_reservation
                FOR EACH ROW
                EXECUTE FUNCTION booking_reservation_as_offered()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_as_offered_of_move ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_as_offered_of_move
                BEFORE UPDATE OF slot_id
                ON booking_reservation
                FOR EACH ROW WHEN (OLD.slot_id IS DISTINCT FROM NEW.slot_id)
                EXECUTE FUNCTION booking_reservation_as_offered()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_is_of_what_was_sold ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_is_of_what_was_sold
                BEFORE UPDATE OF activity_id, day, starts_at, ends_at, exclusive
                ON booking_reservation
                FOR EACH ROW WHEN (
                    (OLD.activity_id, OLD.day, OLD.starts_at, OLD.ends_at, OLD.exclusive)
                        IS DISTINCT FROM
                        (NEW.activity_id, NEW.day, NEW.starts_at, NEW.ends_at, NEW.exclusive)
                    AND OLD.slot_id IS NOT DISTINCT FROM NEW.slot_id
                )
                EXECUTE FUNCTION booking_refuse_change()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_reservation_occupies",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_reservation_occupies() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                is_for_one boolean;
            BEGIN
                SELECT exclusive INTO is_for_one FROM catalogue_activity WHERE id = NEW.activity_id FOR KEY SHARE;
                IF NEW.status NOT IN ('awaiting_payment', 'pending', 'confirmed', 'paid') OR NOT (is_for_one OR NEW.exclusive) THEN
                    DELETE FROM booking_occupancy WHERE reservation_id = NEW.id;
                ELSIF NOT is_for_one THEN
                    RAISE EXCEPTION 'the activity is not for one party any more'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_as_offered';
                ELSE
                    PERFORM pg_advisory_xact_lock('booking_occupancy'::regclass::oid::int, hashtext(NEW.activity_id::text));
                    INSERT INTO booking_occupancy (reservation_id, activity_id, during)
                    VALUES (NEW.id, NEW.activity_id, tstzmultirange(tstzrange(NEW.starts_at, NEW.ends_at)) + coalesce(
                        (SELECT tstzmultirange(tstzrange(s.starts_at, s.ends_at)) FROM booking_change c
                         JOIN catalogue_slot s ON s.id = c.slot_id WHERE c.id = NEW.change_id), '{}'))
                    ON CONFLICT (reservation_id, activity_id) DO UPDATE SET during = excluded.during;
                END IF;
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_occupies_of_insert ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_occupies_of_insert
                AFTER INSERT
                ON booking_reservation
                FOR EACH ROW WHEN (NEW.exclusive)
                EXECUTE FUNCTION booking_reservation_occupies()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER reservation_occupies_of_update ON booking_reservation",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER reservation_occupies_of_update
                AFTER UPDATE OF status, slot_id, change_id
                ON booking_reservation
                FOR EACH ROW WHEN (
                    (OLD.slot_id, OLD.change_id)
                        IS DISTINCT FROM
                        (NEW.slot_id, NEW.change_id)
                    OR (OLD.status IN ('awaiting_payment', 'pending', 'confirmed', 'paid'))
                       <> (NEW.status IN ('awaiting_payment', 'pending', 'confirmed', 'paid'))
                )
                EXECUTE FUNCTION booking_reservation_occupies()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_activity_turns",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_activity_turns() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                DELETE FROM booking_occupancy WHERE activity_id = NEW.id;
                    IF NEW.exclusive THEN
                        INSERT INTO booking_occupancy (reservation_id, activity_id, during)
                        SELECT r.id, r.activity_id, tstzmultirange(tstzrange(r.starts_at, r.ends_at))
                            + CASE WHEN s.id IS NULL THEN '{}' ELSE tstzmultirange(tstzrange(s.starts_at, s.ends_at)) END
                        FROM booking_reservation r LEFT JOIN booking_change c ON c.id = r.change_id
                        LEFT JOIN catalogue_slot s ON s.id = c.slot_id
                        WHERE r.activity_id = NEW.id AND r.status IN ('awaiting_payment', 'pending', 'confirmed', 'paid') AND greatest(r.ends_at, s.ends_at) > now();
                    END IF;
                    RETURN NULL;
                EXCEPTION WHEN exclusion_violation THEN
                    RAISE EXCEPTION 'several parties have booked this activity for one time: it cannot be for one party only'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'activity_has_parties';
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER activity_turns ON catalogue_activity",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER activity_turns
                AFTER UPDATE OF exclusive
                ON catalogue_activity
                FOR EACH ROW WHEN (OLD.exclusive <> NEW.exclusive)
                EXECUTE FUNCTION booking_activity_turns()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_activity_is_sold",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_activity_is_sold() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM FROM catalogue_activity WHERE id = NEW.id FOR UPDATE;  -- waits for the sales of this moment
                IF ((OLD.operator_id, OLD.currency) IS DISTINCT FROM (NEW.operator_id, NEW.currency)
                    AND EXISTS (SELECT FROM catalogue_slot WHERE activity_id = NEW.id))
                OR ((OLD.operator_id, OLD.currency, OLD.timezone)
                    IS DISTINCT FROM (NEW.operator_id, NEW.currency, NEW.timezone)
                    AND EXISTS (SELECT FROM booking_reservation WHERE activity_id = NEW.id)) THEN
                    RAISE EXCEPTION 'this activity has been sold: its operator, currency and time zone are fixed'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'activity_is_sold';
                END IF;
                IF OLD.exclusive AND NOT NEW.exclusive AND EXISTS (
                    SELECT FROM booking_occupancy o JOIN booking_reservation r ON r.id = o.reservation_id
                    WHERE o.activity_key = uuidrange(NEW.id, NEW.id, '[]') AND upper(o.during) > now() AND r.exclusive) THEN
                    RAISE EXCEPTION 'guests have bought this activity for themselves: it stays exclusive until they have been there'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'activity_has_its_party';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER activity_is_sold ON catalogue_activity",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER activity_is_sold
                BEFORE UPDATE OF operator_id, currency, timezone, exclusive
                ON catalogue_activity
                FOR EACH ROW WHEN (
                    (OLD.operator_id, OLD.currency, OLD.timezone, OLD.exclusive)
                        IS DISTINCT FROM
                        (NEW.operator_id, NEW.currency, NEW.timezone, NEW.exclusive)
                )
                EXECUTE FUNCTION booking_activity_is_sold()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION booking_slot_is_sold",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION booking_slot_is_sold() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM FROM catalogue_activity WHERE id = OLD.activity_id FOR UPDATE;  -- waits for the sales of this moment
                IF OLD.sold_at IS NOT NULL OR OLD.reserved > 0
                    OR EXISTS (SELECT FROM booking_reservation WHERE slot_id = OLD.id) THEN
                    RAISE EXCEPTION 'this departure has been sold: its activity and its time are fixed'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'slot_is_sold';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER slot_is_sold ON catalogue_slot",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER slot_is_sold
                BEFORE UPDATE OF activity_id, starts_at, ends_at
                ON catalogue_slot
                FOR EACH ROW WHEN (
                    (OLD.activity_id, OLD.starts_at, OLD.ends_at)
                        IS DISTINCT FROM
                        (NEW.activity_id, NEW.starts_at, NEW.ends_at)
                )
                EXECUTE FUNCTION booking_slot_is_sold()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER slot_stays_sold ON catalogue_slot",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER slot_stays_sold
                BEFORE UPDATE OF sold_at
                ON catalogue_slot
                FOR EACH ROW WHEN (OLD.sold_at IS NOT NULL AND NEW.sold_at IS DISTINCT FROM OLD.sold_at)
                EXECUTE FUNCTION booking_refuse_change()
            """),
        ),
    ]
