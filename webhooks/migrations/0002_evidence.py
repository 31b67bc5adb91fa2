"""The database refuses captured money without the stored event that proves it, and keeps events as they came."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
-- Checked at COMMIT: the event is marked with its payment after the payment is written.
CREATE FUNCTION webhooks_captured_has_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM webhooks_event e
        WHERE e.id = NEW.captured_event_id AND e.payment_id = NEW.id
          AND e.provider = NEW.provider AND e.account = NEW.provider_account AND e.object_ref = NEW.provider_ref
          AND e.captured_amount = NEW.amount_captured AND e.captured_currency = NEW.currency
          AND e.status = 'applied'
    ) THEN
        RAISE EXCEPTION 'payment % has captured money without an event of it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_event_proves_capture';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payment_event_proves_capture
    AFTER INSERT OR UPDATE OF status, amount_captured, captured_event_id ON payments_payment
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status = 'succeeded' OR NEW.amount_captured > 0 OR NEW.captured_event_id IS NOT NULL)
    EXECUTE FUNCTION webhooks_captured_has_event();

CREATE FUNCTION webhooks_event_is_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.provider, OLD.account, OLD.event_id, OLD.type, OLD.object_ref, OLD.live, OLD.source, OLD.payload,
        OLD.captured_amount, OLD.captured_currency, OLD.received_at)
       IS DISTINCT FROM
       (NEW.id, NEW.provider, NEW.account, NEW.event_id, NEW.type, NEW.object_ref, NEW.live, NEW.source, NEW.payload,
        NEW.captured_amount, NEW.captured_currency, NEW.received_at)
       OR (OLD.payment_id IS NOT NULL AND NEW.payment_id IS DISTINCT FROM OLD.payment_id)
       OR (OLD.status = 'applied' AND NEW.status <> 'applied') THEN
        RAISE EXCEPTION 'event % is evidence and is not changed', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'event_is_evidence';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER event_is_evidence BEFORE UPDATE ON webhooks_event
    FOR EACH ROW EXECUTE FUNCTION webhooks_event_is_evidence();
CREATE TRIGGER event_is_kept BEFORE DELETE ON webhooks_event
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();
"""

BACKWARD = """
DROP TRIGGER event_is_kept ON webhooks_event;
DROP TRIGGER event_is_evidence ON webhooks_event;
DROP TRIGGER payment_event_proves_capture ON payments_payment;
DROP FUNCTION webhooks_event_is_evidence(), webhooks_captured_has_event();
"""


class Migration(migrations.Migration):
    """Triggers of the inbox."""

    dependencies: ClassVar = [("webhooks", "0001_initial"), ("booking", "0003_guards")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
