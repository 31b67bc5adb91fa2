"""An index for what was done to a row: Django's log of its admin has one of people and kinds of rows only."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0005_identity_and_bulk_runs"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX staff_log_of_a_row ON django_admin_log (content_type_id, object_id, action_time DESC)",
            "DROP INDEX staff_log_of_a_row",
        ),
    ]
