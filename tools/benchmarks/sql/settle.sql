-- What an event that settles asks of the database, and nothing else.
SELECT d.payment, d.reservation, p.provider_ref AS ref FROM benchmark_due d JOIN payments_payment p ON p.id = d.payment
WHERE d.number = (SELECT nextval('benchmark_next')) \gset
BEGIN;
INSERT INTO webhooks_event (id, provider, account, event_id, type, object_ref, live, api_version, source, payload,
    captured_amount, captured_currency, occurred_at, received_at, status, effect, error, attempts, attested_by,
    attested_because, endpoint, proven_account, secret_name)
VALUES (uuidv7(), 'stripe', '', 'evt_' || gen_random_uuid(), 'payment_intent.succeeded', :ref, false, '', 'webhook',
    jsonb_build_object('padding', repeat('x', 1500)), 4500, 'USD', now(), now(), 'failed', '', 'not applied yet', 0, '', '',
    '', '', 'STRIPE_WEBHOOK_SECRETS')
ON CONFLICT (event_id, provider, account) DO NOTHING RETURNING id AS event \gset
SAVEPOINT applying;
SELECT * FROM booking_reservation r JOIN payments_payment p ON p.id = r.payment_id WHERE r.payment_id = :payment::uuid
    FOR NO KEY UPDATE OF r, p;
WITH r AS (
    UPDATE booking_reservation SET status = 'paid', amount_proven = 4500, paid_at = now(), changed_at = now(),
        changed_by = 'event', changed_because = 'payment_intent.succeeded' WHERE id = :reservation::uuid
)
UPDATE payments_payment SET status = 'succeeded', amount_captured = 4500, captured_event_id = :event::uuid,
    changed_at = now(), changed_by = 'event', changed_because = 'payment_intent.succeeded' WHERE id = :payment::uuid;
RELEASE SAVEPOINT applying;
UPDATE webhooks_event SET payment_id = :payment::uuid, status = 'applied', effect = 'applied', error = '', attempts = 1,
    processed_at = now() WHERE id = :event::uuid;
COMMIT;
