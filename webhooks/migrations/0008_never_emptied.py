"""Events are evidence and are not emptied: TRUNCATE asks no trigger of a row."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON webhooks_event
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
"""

BACKWARD = "DROP TRIGGER is_never_emptied ON webhooks_event;"


class Migration(migrations.Migration):
    """Trigger against TRUNCATE."""

    dependencies: ClassVar = [("webhooks", "0007_news_that_waits"), ("payments", "0003_guards")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
