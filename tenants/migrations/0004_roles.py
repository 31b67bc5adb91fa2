"""Roles; who is a member already may go on doing what they did."""

from typing import ClassVar

from django.db import migrations, models

FORWARD = """
UPDATE tenants_member SET role = 'manager';
"""


class Migration(migrations.Migration):
    """Generated; members that are there become managers."""

    dependencies: ClassVar = [
        ("tenants", "0003_language"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="member",
            name="role",
            field=models.CharField(
                choices=[("owner", "Owner"), ("manager", "Manager"), ("agent", "Agent"), ("read_only", "Read-only")],
                default="agent",
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["owner", "manager", "agent", "read_only"])), name="member_role_known"
            ),
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
