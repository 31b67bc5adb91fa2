"""What decides about money is never taken back: the number of claims, what was turned away, a saved answer."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION payments_command_facts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.attempts < OLD.attempts OR NEW.extra_attempts < OLD.extra_attempts OR NEW.turned_away < OLD.turned_away
       OR (OLD.answer_saved AND NOT NEW.answer_saved) THEN
        RAISE EXCEPTION 'what is known of a command''s attempts is never taken back'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'command_facts_only_grow';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER command_facts_only_grow BEFORE UPDATE OF attempts, extra_attempts, turned_away, answer_saved
    ON payments_command FOR EACH ROW EXECUTE FUNCTION payments_command_facts_only_grow();
"""

BACKWARD = """
DROP TRIGGER command_facts_only_grow ON payments_command;
DROP FUNCTION payments_command_facts_only_grow();
"""


class Migration(migrations.Migration):
    """One trigger."""

    dependencies: ClassVar = [("payments", "0008_facts_of_commands")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
