"""Guards of the payments, as ``payments/guards.py`` has them."""

from django.db import migrations

import common.guard_migrations


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"),
        ("tenants", "0002_guards"),
    ]

    operations = [
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_refuse",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation';
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_account_is_fixed",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_account_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (
                    SELECT 1 FROM payments_payment p
                    WHERE p.operator_id = OLD.operator_id AND p.provider = OLD.provider
                      AND p.provider_account = OLD.reference
                ) THEN
                    RAISE EXCEPTION 'account % has payments and stays what it is', OLD.id
                        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'account_is_fixed';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER account_is_fixed ON payments_provideraccount",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER account_is_fixed
                BEFORE UPDATE OF operator_id, provider, reference, mode
                ON payments_provideraccount
                FOR EACH ROW WHEN (
                    (OLD.operator_id, OLD.provider, OLD.reference, OLD.mode)
                        IS DISTINCT FROM
                        (NEW.operator_id, NEW.provider, NEW.reference, NEW.mode)
                )
                EXECUTE FUNCTION payments_account_is_fixed()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER account_is_kept ON payments_provideraccount",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER account_is_kept
                BEFORE DELETE
                ON payments_provideraccount
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON payments_provideraccount",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON payments_provideraccount
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_payment_moves",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_payment_moves() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
                    ('requires_confirmation', 'requires_payment_method'), ('requires_confirmation', 'processing'),
                        ('requires_confirmation', 'requires_action'), ('requires_confirmation', 'on_hold'),
                        ('requires_confirmation', 'succeeded'), ('requires_confirmation', 'failed'),
                        ('requires_confirmation', 'canceled'),
                    ('requires_payment_method', 'processing'), ('requires_payment_method', 'requires_action'),
                        ('requires_payment_method', 'on_hold'), ('requires_payment_method', 'succeeded'),
                        ('requires_payment_method', 'failed'), ('requires_payment_method', 'canceled'),
                    ('processing', 'requires_payment_method'), ('processing', 'requires_action'),
                        ('processing', 'on_hold'), ('processing', 'succeeded'), ('processing', 'failed'),
                        ('processing', 'canceled'),
                    ('requires_action', 'requires_payment_method'), ('requires_action', 'processing'),
                        ('requires_action', 'on_hold'), ('requires_action', 'succeeded'), ('requires_action', 'failed'),
                        ('requires_action', 'canceled'),
                    ('on_hold', 'processing'), ('on_hold', 'succeeded'), ('on_hold', 'failed'), ('on_hold', 'canceled')
                ) THEN
                    RAISE EXCEPTION 'a payment that is % cannot become %', OLD.status, NEW.status
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transition';
                END IF;
                IF OLD.status <> NEW.status AND (OLD.changed_at, OLD.changed_by, OLD.changed_because)
                    = (NEW.changed_at, NEW.changed_by, NEW.changed_because) THEN
                    RAISE EXCEPTION 'a change of status must say when, who and why'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_change_is_explained';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_moves ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER payment_moves
                BEFORE UPDATE OF status
                ON payments_payment
                FOR EACH ROW
                EXECUTE FUNCTION payments_payment_moves()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_payment_begins",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_payment_begins() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.status NOT IN ('requires_confirmation', 'processing') OR NEW.amount_captured <> 0 THEN
                    RAISE EXCEPTION 'a payment cannot begin as %', NEW.status
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transition';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_begins ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER payment_begins
                BEFORE INSERT
                ON payments_payment
                FOR EACH ROW
                EXECUTE FUNCTION payments_payment_begins()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_payment_is_fixed",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_payment_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'payment % stays with its operator, its account and what drives it', OLD.id
                    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'payment_is_fixed';
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_is_fixed ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER payment_is_fixed
                BEFORE UPDATE OF operator_id, provider, provider_account, provider_ref, managed_by, managed_id,
                managed_part
                ON payments_payment
                FOR EACH ROW WHEN (
                    (OLD.operator_id, OLD.provider, OLD.provider_account, OLD.managed_by, OLD.managed_id,
                        OLD.managed_part)
                        IS DISTINCT FROM
                        (NEW.operator_id, NEW.provider, NEW.provider_account, NEW.managed_by, NEW.managed_id,
                        NEW.managed_part)
                    OR (OLD.provider_ref <> '' AND NEW.provider_ref <> OLD.provider_ref)
                )
                EXECUTE FUNCTION payments_payment_is_fixed()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_is_kept ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER payment_is_kept
                BEFORE DELETE
                ON payments_payment
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON payments_payment
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_payment_next_check",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_payment_next_check() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.next_check_at := CASE WHEN NEW.status NOT IN ('succeeded', 'failed', 'canceled')
                                         OR NEW.amount_refunding > 0 OR NEW.stuck_at IS NOT NULL THEN now() END;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_has_a_next_check ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER payment_has_a_next_check
                BEFORE INSERT
                ON payments_payment
                FOR EACH ROW
                EXECUTE FUNCTION payments_payment_next_check()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_is_checked_anew ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER payment_is_checked_anew
                BEFORE UPDATE
                ON payments_payment
                FOR EACH ROW WHEN (
                    (OLD.status, OLD.amount_refunding, OLD.stuck_at)
                        IS DISTINCT FROM
                        (NEW.status, NEW.amount_refunding, NEW.stuck_at)
                )
                EXECUTE FUNCTION payments_payment_next_check()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_payment_history",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_payment_history() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO payments_paymenthistory (payment_id, at, from_status, to_status, actor, reason)
                VALUES (NEW.id, NEW.changed_at, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END, NEW.status,
                        NEW.changed_by, NEW.changed_because);
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_history_of_insert ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER payment_history_of_insert
                AFTER INSERT
                ON payments_payment
                FOR EACH ROW
                EXECUTE FUNCTION payments_payment_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_history_of_update ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER payment_history_of_update
                AFTER UPDATE OF status
                ON payments_payment
                FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
                EXECUTE FUNCTION payments_payment_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_payment_amount_history",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_payment_amount_history() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO payments_paymenthistory (payment_id, at, from_status, to_status, actor, reason)
                VALUES (NEW.id, clock_timestamp(), NEW.status, NEW.status,
                        left(coalesce(nullif(current_setting('holdfast.actor', true), ''), 'database:' || session_user), 200),
                        format('amount %s %s → %s %s, in minor units', OLD.amount, OLD.currency, NEW.amount, NEW.currency));
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_history_of_amount ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER payment_history_of_amount
                AFTER UPDATE OF amount, currency
                ON payments_payment
                FOR EACH ROW WHEN (
                    (OLD.amount, OLD.currency)
                        IS DISTINCT FROM
                        (NEW.amount, NEW.currency)
                )
                EXECUTE FUNCTION payments_payment_amount_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER history_is_append_only ON payments_paymenthistory",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER history_is_append_only
                BEFORE UPDATE OR DELETE
                ON payments_paymenthistory
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON payments_paymenthistory",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON payments_paymenthistory
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_command_moves",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_command_moves() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
                    ('requested', 'sent'), ('requested', 'done'),
                    ('sent', 'unknown'), ('sent', 'done'), ('sent', 'refused'),
                    ('unknown', 'sent'), ('unknown', 'done'), ('unknown', 'refused')
                ) THEN
                    RAISE EXCEPTION 'a command that is % cannot become %', OLD.status, NEW.status
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'command_transition';
                END IF;
                IF (OLD.id, OLD.payment_id, OLD.kind, OLD.amount, OLD.parameters)
                    IS DISTINCT FROM
                    (NEW.id, NEW.payment_id, NEW.kind, NEW.amount, NEW.parameters) THEN
                    RAISE EXCEPTION 'what a command asks for is frozen'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'command_frozen';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER command_moves ON payments_command",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER command_moves
                BEFORE UPDATE
                ON payments_command
                FOR EACH ROW
                EXECUTE FUNCTION payments_command_moves()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_command_facts_only_grow",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_command_facts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.attempts < OLD.attempts OR NEW.extra_attempts < OLD.extra_attempts OR NEW.turned_away < OLD.turned_away
                    OR (OLD.answer_saved AND NOT NEW.answer_saved) THEN
                    RAISE EXCEPTION 'what is known of a command''s attempts is never taken back'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'command_facts_only_grow';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER command_facts_only_grow ON payments_command",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER command_facts_only_grow
                BEFORE UPDATE OF attempts, extra_attempts, turned_away, answer_saved
                ON payments_command
                FOR EACH ROW
                EXECUTE FUNCTION payments_command_facts_only_grow()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER command_is_kept ON payments_command",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER command_is_kept
                BEFORE DELETE
                ON payments_command
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON payments_command",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON payments_command
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER check_attempt_is_kept ON payments_checkattempt",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER check_attempt_is_kept
                BEFORE DELETE
                ON payments_checkattempt
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON payments_checkattempt",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON payments_checkattempt
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_refund_moves",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_refund_moves() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
                    ('pending', 'succeeded'), ('pending', 'failed'), ('pending', 'canceled'),
                    ('succeeded', 'failed')
                ) THEN
                    RAISE EXCEPTION 'a refund that is % cannot become %', OLD.status, NEW.status
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_transition';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER refund_moves ON payments_refund",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER refund_moves
                BEFORE UPDATE
                ON payments_refund
                FOR EACH ROW
                EXECUTE FUNCTION payments_refund_moves()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER refund_is_kept ON payments_refund",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER refund_is_kept
                BEFORE DELETE
                ON payments_refund
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON payments_refund",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON payments_refund
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION payments_refund_history",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION payments_refund_history() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO payments_refundhistory (refund_id, at, from_status, to_status, amount, failure_code)
                VALUES (NEW.id, NEW.changed_at, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END, NEW.status, NEW.amount,
                        NEW.failure_code);
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER refund_history_of_insert ON payments_refund",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER refund_history_of_insert
                AFTER INSERT
                ON payments_refund
                FOR EACH ROW
                EXECUTE FUNCTION payments_refund_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER refund_history_of_update ON payments_refund",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER refund_history_of_update
                AFTER UPDATE OF status, amount
                ON payments_refund
                FOR EACH ROW WHEN (
                    (OLD.status, OLD.amount)
                        IS DISTINCT FROM
                        (NEW.status, NEW.amount)
                )
                EXECUTE FUNCTION payments_refund_history()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER refund_history_is_append_only ON payments_refundhistory",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER refund_history_is_append_only
                BEFORE UPDATE OR DELETE
                ON payments_refundhistory
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON payments_refundhistory",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON payments_refundhistory
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER dispute_is_kept ON payments_dispute",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER dispute_is_kept
                BEFORE DELETE
                ON payments_dispute
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON payments_dispute",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON payments_dispute
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
    ]
