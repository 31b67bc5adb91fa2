"""The database refuses what the transition tables do not allow, and keeps the history itself.

``tests/payments/test_guards.py`` holds the pairs below against ``payments/states.py``.
"""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION payments_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION payments_payment_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = NEW.status THEN
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN (
        ('requires_confirmation', 'processing'), ('requires_confirmation', 'requires_action'),
        ('requires_confirmation', 'on_hold'), ('requires_confirmation', 'succeeded'),
        ('requires_confirmation', 'failed'), ('requires_confirmation', 'canceled'),
        ('processing', 'requires_action'), ('processing', 'on_hold'), ('processing', 'succeeded'),
        ('processing', 'failed'), ('processing', 'canceled'),
        ('requires_action', 'processing'), ('requires_action', 'on_hold'), ('requires_action', 'succeeded'),
        ('requires_action', 'failed'), ('requires_action', 'canceled'),
        ('on_hold', 'processing'), ('on_hold', 'succeeded'), ('on_hold', 'failed'), ('on_hold', 'canceled')
    ) THEN
        RAISE EXCEPTION 'a payment that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transition';
    END IF;
    IF (OLD.changed_at, OLD.changed_by, OLD.changed_because) = (NEW.changed_at, NEW.changed_by, NEW.changed_because) THEN
        RAISE EXCEPTION 'a change of status must say when, who and why'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_change_is_explained';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_moves BEFORE UPDATE OF status ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_payment_moves();

CREATE FUNCTION payments_payment_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status NOT IN ('requires_confirmation', 'processing') OR NEW.amount_captured <> 0 THEN
        RAISE EXCEPTION 'a payment cannot begin as %', NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transition';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_begins BEFORE INSERT ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_payment_begins();

CREATE FUNCTION payments_payment_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payments_paymenthistory (payment_id, at, from_status, to_status, actor, reason)
    VALUES (NEW.id, NEW.changed_at, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END, NEW.status,
            NEW.changed_by, NEW.changed_because);
    RETURN NULL;
END $$;
CREATE TRIGGER payment_history_of_insert AFTER INSERT ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_payment_history();
CREATE TRIGGER payment_history_of_update AFTER UPDATE OF status ON payments_payment
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION payments_payment_history();

CREATE TRIGGER payment_is_kept BEFORE DELETE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER history_is_append_only BEFORE UPDATE OR DELETE ON payments_paymenthistory
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();

CREATE FUNCTION payments_command_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('requested', 'sent'), ('requested', 'done'),
        ('sent', 'unknown'), ('sent', 'done'), ('sent', 'refused'),
        ('unknown', 'sent'), ('unknown', 'done'), ('unknown', 'refused')
    ) THEN
        RAISE EXCEPTION 'a command that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'command_transition';
    END IF;
    IF (OLD.id, OLD.payment_id, OLD.kind, OLD.amount, OLD.parameters)
       IS DISTINCT FROM (NEW.id, NEW.payment_id, NEW.kind, NEW.amount, NEW.parameters) THEN
        RAISE EXCEPTION 'what a command asks for is frozen'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'command_frozen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER command_moves BEFORE UPDATE ON payments_command
    FOR EACH ROW EXECUTE FUNCTION payments_command_moves();
CREATE TRIGGER command_is_kept BEFORE DELETE ON payments_command
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();

CREATE FUNCTION payments_refund_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'succeeded'), ('pending', 'failed'), ('pending', 'canceled'), ('succeeded', 'failed')
    ) THEN
        RAISE EXCEPTION 'a refund that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_transition';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_moves BEFORE UPDATE ON payments_refund
    FOR EACH ROW EXECUTE FUNCTION payments_refund_moves();
CREATE TRIGGER refund_is_kept BEFORE DELETE ON payments_refund
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();
"""

BACKWARD = """
DROP TRIGGER refund_is_kept ON payments_refund;
DROP TRIGGER refund_moves ON payments_refund;
DROP TRIGGER command_is_kept ON payments_command;
DROP TRIGGER command_moves ON payments_command;
DROP TRIGGER history_is_append_only ON payments_paymenthistory;
DROP TRIGGER payment_is_kept ON payments_payment;
DROP TRIGGER payment_history_of_update ON payments_payment;
DROP TRIGGER payment_history_of_insert ON payments_payment;
DROP TRIGGER payment_begins ON payments_payment;
DROP TRIGGER payment_moves ON payments_payment;
DROP FUNCTION payments_refund_moves(), payments_command_moves(), payments_payment_history(),
    payments_payment_begins(), payments_payment_moves(), payments_refuse();
"""


class Migration(migrations.Migration):
    """Triggers of the payments."""

    dependencies: ClassVar = [("payments", "0002_initial")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
