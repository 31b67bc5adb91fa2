"""Discrepancies and the provider's books are not emptied: TRUNCATE asks no trigger of a row."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON reconciliation_discrepancy
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON reconciliation_bookentry
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse();
"""

BACKWARD = """
DROP TRIGGER is_never_emptied ON reconciliation_bookentry;
DROP TRIGGER is_never_emptied ON reconciliation_discrepancy;
"""


class Migration(migrations.Migration):
    """Triggers against TRUNCATE."""

    dependencies: ClassVar = [("reconciliation", "0003_partial_captures_and_failed_refunds")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
