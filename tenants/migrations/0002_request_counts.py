"""Where requests are counted for the rate limits; not logged, so that counting costs no write-ahead log."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE UNLOGGED TABLE tenants_requestcount (
    who text PRIMARY KEY,
    requests integer NOT NULL,
    ends_at timestamptz NOT NULL
) WITH (fillfactor = 50);
"""


class Migration(migrations.Migration):
    """A table that no model stands for."""

    dependencies: ClassVar = [("tenants", "0001_initial")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, "DROP TABLE tenants_requestcount")]
