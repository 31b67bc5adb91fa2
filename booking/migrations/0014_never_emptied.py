"""Reservations and their history are not emptied: TRUNCATE asks no trigger of a row."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON booking_reservation
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON booking_unit
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON booking_history
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
"""

BACKWARD = """
DROP TRIGGER is_never_emptied ON booking_history;
DROP TRIGGER is_never_emptied ON booking_unit;
DROP TRIGGER is_never_emptied ON booking_reservation;
"""


class Migration(migrations.Migration):
    """Triggers against TRUNCATE."""

    dependencies: ClassVar = [("booking", "0013_part_of_the_money"), ("payments", "0003_guards")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
