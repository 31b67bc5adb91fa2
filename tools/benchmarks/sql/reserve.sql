-- What reserving asks of the database, and nothing else: both transactions and the key, with ids made by the server.
\set slot random(1, :slots)
\set key random(1, 9000000000000000000)
INSERT INTO idempotency_idempotencykey AS existing (api_client_id, key, method, path, fingerprint, operation_id,
    claim_id, leased_until, created_at)
SELECT id, :key, 'POST', '/api/v1/reservations', repeat('0', 64), gen_random_uuid(), gen_random_uuid(),
    now() + interval '1 minute', now() FROM tenants_apiclient WHERE name = 'benchmark 0'
ON CONFLICT (api_client_id, key) DO NOTHING RETURNING operation_id AS operation, claim_id AS claim,
    set_config('synchronous_commit', 'off', true) AS flushes \gset
SELECT s.id AS slot_id, s.activity_id AS activity, r.operator_id AS operator, c.id AS client
FROM catalogue_slot s JOIN catalogue_activity r ON r.id = s.activity_id JOIN tenants_apiclient c ON c.name = 'benchmark 0'
WHERE s.id = (SELECT id FROM benchmark_slot WHERE number = :slot) \gset
BEGIN;
WITH p AS (
    INSERT INTO payments_payment (id, operator_id, provider, provider_account, provider_ref, amount, currency,
        capture_method, payment_method_id, customer_id, metadata, managed_by, managed_id, status, client_secret, failure_code,
        failure_message, amount_captured, amount_refunding, amount_refunded, auth_code, receipt_url, stuck_because,
        created_at, changed_at, changed_by, changed_because)
    VALUES (uuidv7(), :operator::uuid, 'stripe', '', '', 4500, 'USD', 'manual', 'pm_card_visa', '', '{}', 'reservation',
        :operation::uuid, 'processing', '', '', '', 0, 0, 0, '', '', '', now(), now(), 'pgbench', 'reserve') RETURNING id
), r AS (
    INSERT INTO booking_reservation (id, operator_id, api_client_id, reference, activity_id, slot_id, payment_id, status,
        exclusive, places, amount, amount_owed, amount_proven, currency, customer_name, customer_email, customer_reference, customer_language,
        metadata, expires_at, created_at, changed_at, changed_by, changed_because)
    SELECT :operation::uuid, :operator::uuid, :client::uuid, upper(left(md5(random()::text), 12)), :activity::uuid,
        :slot_id::uuid, p.id, 'awaiting_payment', false, 1, 4500, 4500, 0, 'USD', 'Ana Souza', 'ana@example.com', '', '', '{}',
        now() + interval '15 minutes', now(), now(), 'pgbench', 'reserve' FROM p RETURNING id
), u AS (
    INSERT INTO booking_unit (id, reservation_id, unit, name, amount)
    SELECT uuidv7(), r.id, 'adult', 'Adult', 4500 FROM r
), c AS (
    INSERT INTO payments_command (id, payment_id, kind, amount, parameters, status, attempts, next_attempt_at,
        leased_until, last_error, provider_request_id, requested_by, reason, created_at, first_sent_at)
    SELECT uuidv7(), p.id, 'authorize', 4500, '{}', 'sent', 1, now(), now() + interval '1 minute', '', '', 'pgbench',
        'reserve', now(), now() FROM p RETURNING id
)
SELECT p.id AS payment, r.id AS reservation, c.id AS command FROM p, r, c \gset
SELECT * FROM catalogue_slot WHERE id = :slot_id::uuid FOR NO KEY UPDATE;
UPDATE catalogue_slot SET reserved = reserved + 1 WHERE id = :slot_id::uuid;
COMMIT;
BEGIN;
SELECT * FROM booking_reservation r JOIN payments_payment p ON p.id = r.payment_id WHERE r.payment_id = :payment::uuid
    FOR NO KEY UPDATE OF r, p;
WITH r AS (
    UPDATE booking_reservation SET status = 'pending', changed_at = now(), changed_by = 'provider',
        changed_because = 'authorize: held' WHERE id = :reservation::uuid
), p AS (
    UPDATE payments_payment SET provider_ref = 'pi_' || id, status = 'on_hold', held_at = now(), changed_at = now(),
        changed_by = 'provider', changed_because = 'authorize: held' WHERE id = :payment::uuid
)
UPDATE payments_command SET status = 'done', next_attempt_at = NULL, leased_until = NULL, finished_at = now()
    WHERE id = :command::uuid;
COMMIT;
UPDATE idempotency_idempotencykey SET status_code = 201, body = repeat('x', 800)::bytea
    WHERE operation_id = :operation::uuid AND claim_id = :claim::uuid AND status_code IS NULL;
