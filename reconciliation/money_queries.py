"""The queries of the promises about sums of money.

``promises.py`` says what each finds.
"""

ACCOUNTED = """
SELECT p.id::text, format('refunded {%%1$s %%5$s}, its refunds come to {%%2$s %%5$s}; '
                          'refunding {%%3$s %%5$s}, its open ones to {%%4$s %%5$s}',
                          p.amount_refunded, coalesce(r.refunded, 0), p.amount_refunding,
                          coalesce(r.refunding, 0), p.currency)
FROM payments_payment p
LEFT JOIN (SELECT payment_id, sum(amount) FILTER (WHERE status = 'succeeded') AS refunded,
                  sum(amount) FILTER (WHERE status = 'pending') AS refunding
           FROM payments_refund GROUP BY payment_id) r ON r.payment_id = p.id
WHERE p.amount_refunded <> coalesce(r.refunded, 0) OR p.amount_refunding <> coalesce(r.refunding, 0)
UNION ALL
SELECT e.id::text, format('%%s waits for money that has come', e.type)
FROM webhooks_event e JOIN payments_payment p ON p.id = e.payment_id
WHERE e.status = 'orphaned' AND e.next_attempt_at IS NULL AND p.amount_captured > 0
  AND greatest(e.received_at, p.changed_at) < now() - interval '10 minutes'
UNION ALL
SELECT b.ref, format('amount {%%1$s %%4$s}, fee {%%2$s %%4$s}, net {%%3$s %%4$s}, and nobody was told',
                     b.amount, b.fee, b.net, b.currency)
FROM reconciliation_ledgerentry b
WHERE b.amount - b.fee <> b.net
  AND NOT EXISTS (SELECT 1 FROM reconciliation_discrepancy d WHERE d.subject = b.ref)"""

SUMS = """
SELECT r.id::text, format('sold for {%%s %%s} in %%s places, its units come to {%%s %%s} in %%s',
                          r.amount, r.currency, r.places, coalesce(u.amount, 0), r.currency,
                          coalesce(u.places, 0))
FROM booking_reservation r
LEFT JOIN (SELECT reservation_id, sum(amount) AS amount, count(*) AS places FROM booking_unit
           GROUP BY reservation_id) u ON u.reservation_id = r.id
LEFT JOIN (SELECT reservation_id, sum(amount) AS amount, count(unit_id) AS places FROM booking_adjustment
           WHERE kind IN ('extra', 'fee', 'discount', 'withdrawal', 'unit', 'change') GROUP BY reservation_id) a
       ON a.reservation_id = r.id
WHERE (r.amount, r.places) IS DISTINCT FROM (coalesce(u.amount, 0) + coalesce(a.amount, 0),
                                             coalesce(u.places, 0) - coalesce(a.places, 0))
UNION ALL
SELECT r.id::text, format('%%s, owes {%%s %%s}, its rows come to {%%s %%s}', r.status, r.amount_owed,
                          r.currency, r.amount + coalesce(a.amount, 0), r.currency)
FROM booking_reservation r
LEFT JOIN (SELECT reservation_id, sum(amount) AS amount FROM booking_adjustment
           WHERE kind NOT IN ('extra', 'fee', 'discount', 'withdrawal', 'unit', 'change')
           GROUP BY reservation_id) a ON a.reservation_id = r.id
WHERE r.amount_owed <> CASE WHEN r.status IN ('expired', 'failed') THEN 0
                            ELSE r.amount + coalesce(a.amount, 0) END
UNION ALL
SELECT r.id::text, format('{%%s %%s} proven, its payments come to {%%s %%s}', r.amount_proven, r.currency,
                          coalesce(p.amount, 0), r.currency)
FROM booking_reservation r
LEFT JOIN (SELECT managed_id, operator_id, currency, sum(amount_captured - amount_refunded) AS amount
           FROM payments_payment WHERE managed_by = 'reservation'
           GROUP BY managed_id, operator_id, currency) p
       ON (p.managed_id, p.operator_id, p.currency) = (r.id, r.operator_id, r.currency)
WHERE r.amount_proven <> coalesce(p.amount, 0)
UNION ALL
SELECT r.id::text, format('{%%s %%s} collected, its receipts come to {%%s %%s}', r.amount_collected, r.currency,
                          coalesce(c.amount, 0), r.currency)
FROM booking_reservation r
LEFT JOIN (SELECT reservation_id, sum(amount) AS amount FROM booking_receipt WHERE approved_at IS NOT NULL
           GROUP BY reservation_id) c ON c.reservation_id = r.id
WHERE r.amount_collected <> coalesce(c.amount, 0)
UNION ALL
SELECT r.id::text, format('counts %%s payments, and has %%s', r.attempts, count(p.id))
FROM booking_reservation r LEFT JOIN payments_payment p ON p.managed_id = r.id AND p.managed_by = 'reservation'
GROUP BY r.id HAVING r.attempts <> count(p.id)
UNION ALL
SELECT r.id::text, format('%%s payments live at one time', count(*))
FROM booking_reservation r JOIN payments_payment p ON p.managed_id = r.id
WHERE p.status NOT IN ('succeeded', 'failed', 'canceled') GROUP BY r.id, p.managed_part HAVING count(*) > 1
UNION ALL
SELECT c.id::text, format('%%s, and its reservation says %%s', c.status, r.change_id)
FROM booking_change c JOIN booking_reservation r ON r.id = c.reservation_id
WHERE (c.status = 'open') <> (r.change_id IS NOT DISTINCT FROM c.id)
UNION ALL
SELECT r.id::text, format('%%s, {%%s %%s} of {%%s %%s} are proven', r.status, r.amount_proven, r.currency,
                          r.amount_owed, r.currency)
FROM booking_reservation r
WHERE (r.status IN ('awaiting_payment', 'pending', 'confirmed', 'paid')
       AND (r.status = 'paid') <> (r.amount_proven > 0 AND r.amount_proven >= r.amount_owed))
   OR (r.status IN ('awaiting_payment', 'pending') AND (r.amount_proven <> 0 OR r.amount_collected <> 0))
   OR (r.status IN ('expired', 'failed', 'refunded') AND r.amount_owed <> 0)"""
