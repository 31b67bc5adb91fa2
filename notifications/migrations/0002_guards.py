"""Guards of mails, as ``notifications/guards.py`` has them."""

from django.db import migrations

import common.guard_migrations


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
    ]

    operations = [
        common.guard_migrations.PutGuard(
            name="FUNCTION notifications_mail_is_kept",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION notifications_mail_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% on % is refused: what was told is kept', TG_OP, TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation';
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER mail_is_kept ON notifications_mail",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER mail_is_kept
                BEFORE DELETE
                ON notifications_mail
                FOR EACH ROW
                EXECUTE FUNCTION notifications_mail_is_kept()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON notifications_mail",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON notifications_mail
                FOR EACH STATEMENT
                EXECUTE FUNCTION notifications_mail_is_kept()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER mail_tells_what_it_told ON notifications_mail",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER mail_tells_what_it_told
                BEFORE UPDATE
                ON notifications_mail
                FOR EACH ROW WHEN (
                    (OLD.id, OLD.operator_id, OLD.reservation_id, OLD.payment_id, OLD.kind, OLD.cause, OLD.language,
                        OLD.facts, OLD.created_at)
                        IS DISTINCT FROM
                        (NEW.id, NEW.operator_id, NEW.reservation_id, NEW.payment_id, NEW.kind, NEW.cause, NEW.language,
                        NEW.facts, NEW.created_at)
                    OR NEW.round < OLD.round
                    OR ((OLD.status = 'sent' OR OLD.round > 1) AND OLD."to" IS DISTINCT FROM NEW."to")
                )
                EXECUTE FUNCTION notifications_mail_is_kept()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER mail_claims_only_grow ON notifications_mail",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER mail_claims_only_grow
                BEFORE UPDATE OF attempts, extra_attempts
                ON notifications_mail
                FOR EACH ROW WHEN (NEW.attempts < OLD.attempts OR NEW.extra_attempts < OLD.extra_attempts)
                EXECUTE FUNCTION notifications_mail_is_kept()
            """),
        ),
    ]
