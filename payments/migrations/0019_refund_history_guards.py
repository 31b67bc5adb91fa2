"""A refund has a history as its payment has one, and an amount that is changed by hand is told in the payment's."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION payments_refund_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payments_refundhistory (refund_id, at, from_status, to_status, amount, failure_code)
    VALUES (NEW.id, NEW.changed_at, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END, NEW.status, NEW.amount,
            NEW.failure_code);
    RETURN NULL;
END $$;
CREATE TRIGGER refund_history_of_insert AFTER INSERT ON payments_refund
    FOR EACH ROW EXECUTE FUNCTION payments_refund_history();
CREATE TRIGGER refund_history_of_update AFTER UPDATE OF status, amount ON payments_refund
    FOR EACH ROW WHEN ((OLD.status, OLD.amount) IS DISTINCT FROM (NEW.status, NEW.amount))
    EXECUTE FUNCTION payments_refund_history();

CREATE TRIGGER refund_history_is_append_only BEFORE UPDATE OR DELETE ON payments_refundhistory
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON payments_refundhistory
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();

-- No code of ours changes what a payment is of; who does it by hand is told of.
CREATE FUNCTION payments_payment_amount_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payments_paymenthistory (payment_id, at, from_status, to_status, actor, reason)
    VALUES (NEW.id, clock_timestamp(), NEW.status, NEW.status,
            left(coalesce(nullif(current_setting('holdfast.actor', true), ''), 'database:' || session_user), 200),
            format('amount %s %s → %s %s, in minor units', OLD.amount, OLD.currency, NEW.amount, NEW.currency));
    RETURN NULL;
END $$;
CREATE TRIGGER payment_history_of_amount AFTER UPDATE OF amount, currency ON payments_payment
    FOR EACH ROW WHEN ((OLD.amount, OLD.currency) IS DISTINCT FROM (NEW.amount, NEW.currency))
    EXECUTE FUNCTION payments_payment_amount_history();
"""

BACKWARD = """
DROP TRIGGER payment_history_of_amount ON payments_payment;
DROP TRIGGER is_never_emptied ON payments_refundhistory;
DROP TRIGGER refund_history_is_append_only ON payments_refundhistory;
DROP TRIGGER refund_history_of_update ON payments_refund;
DROP TRIGGER refund_history_of_insert ON payments_refund;
DROP FUNCTION payments_payment_amount_history(), payments_refund_history();
"""


class Migration(migrations.Migration):
    """Triggers of the refunds' history."""

    dependencies: ClassVar = [("payments", "0018_refund_history")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
