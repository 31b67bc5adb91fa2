"""Django's log of its admin is append-only, and has an index for what was done to a row."""

from django.db import migrations

import common.guard_migrations


class Migration(migrations.Migration):
    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        common.guard_migrations.PutGuard(
            name="FUNCTION tenants_staff_log_is_kept",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION tenants_staff_log_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation';
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER staff_log_is_append_only ON django_admin_log",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER staff_log_is_append_only
                BEFORE UPDATE OR DELETE
                ON django_admin_log
                FOR EACH ROW
                EXECUTE FUNCTION tenants_staff_log_is_kept()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON django_admin_log",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON django_admin_log
                FOR EACH STATEMENT
                EXECUTE FUNCTION tenants_staff_log_is_kept()
            """),
        ),
    ]
