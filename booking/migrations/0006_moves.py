"""A reservation that goes to another departure says so in its history: the database writes it."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION booking_reservation_goes_elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.changed_at, OLD.changed_by, OLD.changed_because) = (NEW.changed_at, NEW.changed_by, NEW.changed_because)
       OR OLD.status <> NEW.status OR OLD.resource_id <> NEW.resource_id OR OLD.slot_id IS NULL OR NEW.slot_id IS NULL THEN
        RAISE EXCEPTION 'a reservation moves from one departure to another of its resource, and says when, who and why'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reservation_move';
    END IF;
    INSERT INTO booking_history (reservation_id, at, from_status, to_status, actor, reason, moved_from_id)
    VALUES (NEW.id, NEW.changed_at, OLD.status, NEW.status, NEW.changed_by, NEW.changed_because, OLD.slot_id);
    RETURN NEW;
END $$;
CREATE TRIGGER reservation_goes_elsewhere BEFORE UPDATE OF slot_id ON booking_reservation
    FOR EACH ROW WHEN (OLD.slot_id IS DISTINCT FROM NEW.slot_id) EXECUTE FUNCTION booking_reservation_goes_elsewhere();
"""
BACKWARD = """
DROP TRIGGER reservation_goes_elsewhere ON booking_reservation;
DROP FUNCTION booking_reservation_goes_elsewhere();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0005_backoffice_at_scale"),
    ]

    operations = [
        migrations.AddField(
            model_name="history",
            name="moved_from",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The departure that it was moved from; empty: it was not moved.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="booking.slot",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
