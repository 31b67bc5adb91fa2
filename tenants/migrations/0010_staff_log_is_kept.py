"""What people did is append-only. Who has done something is therefore never deleted, but made inactive."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION tenants_staff_log_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER staff_log_is_append_only BEFORE UPDATE OR DELETE ON django_admin_log
    FOR EACH ROW EXECUTE FUNCTION tenants_staff_log_is_kept();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON django_admin_log
    FOR EACH STATEMENT EXECUTE FUNCTION tenants_staff_log_is_kept();
"""

BACKWARD = """
DROP TRIGGER is_never_emptied ON django_admin_log;
DROP TRIGGER staff_log_is_append_only ON django_admin_log;
DROP FUNCTION tenants_staff_log_is_kept();
"""


class Migration(migrations.Migration):
    """Triggers of the log of the backoffice."""

    dependencies: ClassVar = [
        ("tenants", "0009_currencies_of_now"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
