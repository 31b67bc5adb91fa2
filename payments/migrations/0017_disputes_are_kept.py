"""A dispute is never deleted, as the payment that it is about."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE TRIGGER dispute_is_kept BEFORE DELETE ON payments_dispute
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();
"""

BACKWARD = "DROP TRIGGER dispute_is_kept ON payments_dispute;"


class Migration(migrations.Migration):
    """One trigger."""

    dependencies: ClassVar = [("payments", "0016_leased_by")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
