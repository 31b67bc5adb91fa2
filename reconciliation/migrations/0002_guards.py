"""Guards of the reconciliation, as ``reconciliation/guards.py`` has them."""

from django.db import migrations

import common.guard_migrations


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0001_initial"),
    ]

    operations = [
        common.guard_migrations.PutGuard(
            name="FUNCTION reconciliation_refuse",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION reconciliation_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% on % is refused: it is kept', TG_OP, TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation';
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION reconciliation_discrepancy_moves",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION reconciliation_discrepancy_moves() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
                    ('open', 'acknowledged'), ('open', 'resolved'),
                    ('acknowledged', 'resolved')
                ) THEN
                    RAISE EXCEPTION 'a discrepancy that is % cannot become %', OLD.status, NEW.status
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'discrepancy_transition';
                END IF;
                IF (OLD.kind, OLD.provider, OLD.account, OLD.subject, OLD.summary, OLD.difference, OLD.evidence,
                    OLD.opened_at)
                    IS DISTINCT FROM
                    (NEW.kind, NEW.provider, NEW.account, NEW.subject, NEW.summary, NEW.difference, NEW.evidence,
                    NEW.opened_at)
                    OR (OLD.resolved_at IS NOT NULL AND (OLD.resolved_at, OLD.resolved_by, OLD.resolved_because, OLD.resolution)
                    IS DISTINCT FROM
                    (NEW.resolved_at, NEW.resolved_by, NEW.resolved_because, NEW.resolution)) THEN
                    RAISE EXCEPTION 'what was seen of a discrepancy, and how it was resolved, is kept'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'discrepancy_frozen';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER discrepancy_moves ON reconciliation_discrepancy",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER discrepancy_moves
                BEFORE UPDATE
                ON reconciliation_discrepancy
                FOR EACH ROW
                EXECUTE FUNCTION reconciliation_discrepancy_moves()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER discrepancy_is_kept ON reconciliation_discrepancy",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER discrepancy_is_kept
                BEFORE DELETE
                ON reconciliation_discrepancy
                FOR EACH ROW
                EXECUTE FUNCTION reconciliation_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON reconciliation_discrepancy",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON reconciliation_discrepancy
                FOR EACH STATEMENT
                EXECUTE FUNCTION reconciliation_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION reconciliation_ledgerentry_is_kept",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION reconciliation_ledgerentry_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF (OLD.ref, OLD.kind, OLD.category, OLD.amount, OLD.fee, OLD.net, OLD.currency, OLD.moved,
                    OLD.occurred_at)
                    IS DISTINCT FROM
                    (NEW.ref, NEW.kind, NEW.category, NEW.amount, NEW.fee, NEW.net, NEW.currency, NEW.moved,
                    NEW.occurred_at)
                    OR (OLD.payout_ref <> '' AND OLD.payout_ref <> NEW.payout_ref) THEN
                    RAISE EXCEPTION 'a line of the ledger is kept as it was read'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_frozen';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER ledger_entry_is_frozen ON reconciliation_ledgerentry",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER ledger_entry_is_frozen
                BEFORE UPDATE
                ON reconciliation_ledgerentry
                FOR EACH ROW
                EXECUTE FUNCTION reconciliation_ledgerentry_is_kept()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER ledger_entry_is_kept ON reconciliation_ledgerentry",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER ledger_entry_is_kept
                BEFORE DELETE
                ON reconciliation_ledgerentry
                FOR EACH ROW
                EXECUTE FUNCTION reconciliation_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON reconciliation_ledgerentry",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON reconciliation_ledgerentry
                FOR EACH STATEMENT
                EXECUTE FUNCTION reconciliation_refuse()
            """),
        ),
    ]
