"""Guards of the inbox, as ``webhooks/guards.py`` has them."""

from django.db import migrations

import common.guard_migrations


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0002_guards"),
        ("payments", "0002_guards"),
        ("webhooks", "0001_initial"),
    ]

    operations = [
        common.guard_migrations.PutGuard(
            name="FUNCTION webhooks_event_is_evidence",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION webhooks_event_is_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF (OLD.id, OLD.provider, OLD.account, OLD.event_id, OLD.type, OLD.object_ref, OLD.problem, OLD.live,
                    OLD.api_version, OLD.occurred_at, OLD.source, OLD.endpoint, OLD.proven_account, OLD.secret_name,
                    OLD.payload, OLD.captured_amount, OLD.captured_currency, OLD.received_at, OLD.attested_by,
                    OLD.attested_because)
                    IS DISTINCT FROM
                    (NEW.id, NEW.provider, NEW.account, NEW.event_id, NEW.type, NEW.object_ref, NEW.problem, NEW.live,
                    NEW.api_version, NEW.occurred_at, NEW.source, NEW.endpoint, NEW.proven_account, NEW.secret_name,
                    NEW.payload, NEW.captured_amount, NEW.captured_currency, NEW.received_at, NEW.attested_by,
                    NEW.attested_because)
                    OR (OLD.payment_id IS NOT NULL AND NEW.payment_id IS DISTINCT FROM OLD.payment_id)
                    OR (OLD.status = 'applied' AND NEW.status <> 'applied') THEN
                    RAISE EXCEPTION 'event % is evidence and is not changed', OLD.id
                        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'event_is_evidence';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER event_is_evidence ON webhooks_event",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER event_is_evidence
                BEFORE UPDATE
                ON webhooks_event
                FOR EACH ROW
                EXECUTE FUNCTION webhooks_event_is_evidence()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER event_is_kept ON webhooks_event",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER event_is_kept
                BEFORE DELETE
                ON webhooks_event
                FOR EACH ROW
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON webhooks_event",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON webhooks_event
                FOR EACH STATEMENT
                EXECUTE FUNCTION payments_refuse()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION webhooks_event_is_proven",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION webhooks_event_is_proven() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                own text := (SELECT CASE NEW.source WHEN 'webhook' THEN webhook_secrets_name ELSE secret_name END
                             FROM payments_provideraccount
                             WHERE provider = NEW.provider AND reference = NEW.account AND reference <> '');
                kind text := CASE NEW.source WHEN 'webhook' THEN '_WEBHOOK_SECRETS' ELSE '_API_KEY' END;
            BEGIN
                IF NEW.proven_account IS NULL THEN
                    IF NEW.status <> 'applied' THEN
                        RETURN NEW;  -- kept, and applied by nobody
                    END IF;
                    RAISE EXCEPTION 'nobody knows how event % was verified', NEW.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'event_is_proven';
                END IF;
                IF NEW.secret_name <> coalesce(nullif(own, ''), upper(NEW.provider) || kind) THEN
                    RAISE EXCEPTION 'event % was verified by %, which is no secret of its account', NEW.id, NEW.secret_name
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'event_is_proven';
                END IF;
                IF NEW.status = 'applied' AND NOT EXISTS (
                    SELECT 1 FROM payments_payment p
                    WHERE p.id = NEW.payment_id AND p.provider = NEW.provider AND p.provider_account = NEW.proven_account
                ) THEN
                    RAISE EXCEPTION 'event % is of another account than its payment', NEW.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'event_is_of_its_payment';
                END IF;
                RETURN NEW;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER event_is_proven_when_stored ON webhooks_event",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER event_is_proven_when_stored
                BEFORE INSERT
                ON webhooks_event
                FOR EACH ROW
                EXECUTE FUNCTION webhooks_event_is_proven()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER event_is_proven_when_applied ON webhooks_event",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER event_is_proven_when_applied
                BEFORE UPDATE OF status
                ON webhooks_event
                FOR EACH ROW WHEN (NEW.status = 'applied' AND OLD.status <> 'applied')
                EXECUTE FUNCTION webhooks_event_is_proven()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION webhooks_captured_has_event",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION webhooks_captured_has_event() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NOT EXISTS (
                    SELECT 1 FROM webhooks_event e
                    WHERE e.id = NEW.captured_event_id AND e.payment_id = NEW.id AND e.status = 'applied'
                      AND e.provider = NEW.provider AND e.object_ref = NEW.provider_ref
                      AND e.account = NEW.provider_account AND e.proven_account = NEW.provider_account
                      AND e.secret_name <> ''
                      AND e.captured_amount = NEW.amount_captured AND e.captured_currency = NEW.currency
                ) THEN
                    RAISE EXCEPTION 'payment % has captured money without an event of it', NEW.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_event_proves_capture';
                END IF;
                RETURN NULL;
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER payment_event_proves_capture ON payments_payment",
            sql=common.guard_migrations.Sql("""
            CREATE CONSTRAINT TRIGGER payment_event_proves_capture
                AFTER INSERT OR UPDATE OF status, amount_captured, captured_event_id, provider, provider_account,
                provider_ref, currency
                ON payments_payment
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.status = 'succeeded' OR NEW.amount_captured > 0 OR NEW.captured_event_id IS NOT NULL)
                EXECUTE FUNCTION webhooks_captured_has_event()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="FUNCTION webhooks_notice_is_kept",
            sql=common.guard_migrations.Sql("""
            CREATE OR REPLACE FUNCTION webhooks_notice_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION '% on % is refused: what was told is kept', TG_OP, TG_TABLE_NAME
                    USING ERRCODE = 'restrict_violation';
            END $$
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER notice_is_kept ON webhooks_notice",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER notice_is_kept
                BEFORE DELETE
                ON webhooks_notice
                FOR EACH ROW
                EXECUTE FUNCTION webhooks_notice_is_kept()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER is_never_emptied ON webhooks_notice",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER is_never_emptied
                BEFORE TRUNCATE
                ON webhooks_notice
                FOR EACH STATEMENT
                EXECUTE FUNCTION webhooks_notice_is_kept()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER notice_tells_what_it_told ON webhooks_notice",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER notice_tells_what_it_told
                BEFORE UPDATE
                ON webhooks_notice
                FOR EACH ROW WHEN (
                    (OLD.id, OLD.provider, OLD.account, OLD.secret_name, OLD.delivery_id, OLD.digest, OLD.type,
                        OLD.lookup_ref, OLD.payload, OLD.received_at)
                        IS DISTINCT FROM
                        (NEW.id, NEW.provider, NEW.account, NEW.secret_name, NEW.delivery_id, NEW.digest, NEW.type,
                        NEW.lookup_ref, NEW.payload, NEW.received_at)
                    OR NEW.deliveries < OLD.deliveries
                )
                EXECUTE FUNCTION webhooks_notice_is_kept()
            """),
        ),
        common.guard_migrations.PutGuard(
            name="TRIGGER notice_claims_only_grow ON webhooks_notice",
            sql=common.guard_migrations.Sql("""
            CREATE TRIGGER notice_claims_only_grow
                BEFORE UPDATE OF attempts, extra_attempts
                ON webhooks_notice
                FOR EACH ROW WHEN (NEW.attempts < OLD.attempts OR NEW.extra_attempts < OLD.extra_attempts)
                EXECUTE FUNCTION webhooks_notice_is_kept()
            """),
        ),
    ]
