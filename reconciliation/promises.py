"""The promises as queries: each finds the rows that break one.

``manage.py verify`` runs them on a live database.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from common import currencies
from reconciliation import money_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A promise and its query; rows are breaches: id and problem."""

    number: str
    text: str
    breaches: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a promise holds: the number of ``breaches``, and ``examples``."""

    promise: Promise
    breaches: int
    examples: Sequence[tuple[str, str]]


_EXAMPLES = 5
_MONEY = re.compile(r"\{(-?\d+) ([^{} ]*)\}")
"""How the queries write an amount of minor units, for people to read it as money: {4500 EUR}."""

PROMISES = (
    Promise(
        number="P1",
        text="No slot is oversold: places of active reservations and open changes = reserved ≤ capacity",
        breaches="""
            SELECT s.id::text, format('reserved %%s, sold %%s, held for changes %%s, capacity %%s',
                                       s.reserved, coalesce(r.places, 0), coalesce(c.places, 0), s.capacity)
            FROM catalogue_slot s
            LEFT JOIN (SELECT slot_id, sum(places) AS places FROM booking_reservation
                       WHERE status IN ('awaiting_payment', 'pending', 'confirmed', 'paid') GROUP BY slot_id) r
                   ON r.slot_id = s.id
            LEFT JOIN (SELECT slot_id, sum(places) AS places FROM booking_change
                       WHERE status = 'open' GROUP BY slot_id) c ON c.slot_id = s.id
            WHERE s.reserved <> coalesce(r.places, 0) + coalesce(c.places, 0) OR s.reserved > s.capacity""",
    ),
    Promise(
        number="P2",
        text="An exclusive activity has at most one party at a time, whatever it is booked through",
        breaches="""
            WITH party AS (
                SELECT r.id, r.activity_id, r.starts_at, r.ends_at, a.exclusive AND r.ends_at > now() AS occupies,
                       tstzmultirange(tstzrange(r.starts_at, r.ends_at)) + coalesce(
                           (SELECT tstzmultirange(tstzrange(s.starts_at, s.ends_at)) FROM booking_change c
                            JOIN catalogue_slot s ON s.id = c.slot_id WHERE c.id = r.change_id), '{}') AS during
                FROM booking_reservation r JOIN catalogue_activity a ON a.id = r.activity_id
                WHERE r.status IN ('awaiting_payment', 'pending', 'confirmed', 'paid') AND (r.exclusive OR a.exclusive))
            SELECT p.id::text, format('at one time with %%s', o.id)
            FROM party p JOIN booking_reservation o ON o.activity_id = p.activity_id AND o.id <> p.id
                 AND o.starts_at < p.ends_at AND o.ends_at > p.starts_at
                 AND o.status IN ('awaiting_payment', 'pending', 'confirmed', 'paid')
            JOIN booking_reservation own ON own.id = p.id
            WHERE own.exclusive OR (p.occupies AND o.ends_at > now())
            UNION ALL
            SELECT p.id::text, 'has its time without occupying it' FROM party p
            LEFT JOIN booking_occupancy o ON o.reservation_id = p.id AND o.activity_id = p.activity_id
                 AND o.during = p.during
            WHERE p.occupies AND o.id IS NULL
            UNION ALL
            SELECT o.reservation_id::text, format('occupies, and is %%s', r.status)
            FROM booking_occupancy o JOIN booking_reservation r ON r.id = o.reservation_id
            WHERE r.status NOT IN ('awaiting_payment', 'pending', 'confirmed', 'paid')""",
    ),
    Promise(
        number="P3",
        text="Nothing is paid without an event of its amount and currency that is authentic for its account",
        breaches="""
            SELECT p.id::text, format('%%s, captured {%%s %%s}', p.status, p.amount_captured, p.currency)
            FROM payments_payment p
            LEFT JOIN webhooks_event e ON e.id = p.captured_event_id AND e.payment_id = p.id AND e.status = 'applied'
                  AND e.provider = p.provider AND e.object_ref = p.provider_ref
                  AND e.account = p.provider_account AND e.proven_account = p.provider_account
                  AND e.endpoint IN ('', p.provider_account) AND e.secret_name <> ''
                  AND e.captured_amount = p.amount_captured AND e.captured_currency = p.currency
            WHERE (p.status = 'succeeded' OR p.amount_captured > 0) AND e.id IS NULL
            UNION ALL
            SELECT r.id::text, format('its payment is driven by %%s %%s, of operator %%s, in %%s',
                                      coalesce(nullif(p.managed_by, ''), 'nothing'), p.managed_id, p.operator_id,
                                      p.currency)
            FROM booking_reservation r JOIN payments_payment p ON p.id = r.payment_id
            WHERE (p.managed_by, p.managed_id, p.operator_id, p.currency)
                  IS DISTINCT FROM ('reservation', r.id, r.operator_id, r.currency)""",
    ),
    Promise(
        number="P4",
        text="One event, one effect: no event is stored twice, none is half-applied or applied elsewhere",
        breaches="""
            SELECT min(id::text), format('event %%s is stored %%s times', event_id, count(*))
            FROM webhooks_event GROUP BY provider, account, event_id HAVING count(*) > 1
            UNION ALL
            SELECT id::text, 'applied without a mark or a payment' FROM webhooks_event
            WHERE (status = 'applied') <> (effect <> '' AND processed_at IS NOT NULL AND payment_id IS NOT NULL)
            UNION ALL
            SELECT e.id::text, format('applied to a payment of account "%%s", verified for "%%s"',
                                      p.provider_account, coalesce(e.proven_account, 'nobody'))
            FROM webhooks_event e JOIN payments_payment p ON p.id = e.payment_id
            WHERE e.status = 'applied'
              AND (e.provider, e.account, coalesce(e.proven_account, 'nobody'), e.secret_name <> '')
                  <> (p.provider, p.provider_account, p.provider_account, true)""",
    ),
    Promise(
        number="P5",
        text="One intent, one charge: every payment is begun by one command, and captured once",
        breaches="""
            SELECT p.id::text, format('%%s commands began it', count(c.id))
            FROM payments_payment p
            LEFT JOIN payments_command c ON c.payment_id = p.id AND c.kind IN ('create', 'authorize', 'charge')
            GROUP BY p.id HAVING count(c.id) <> 1
            UNION ALL
            SELECT payment_id::text, format('%%s captures are done', count(*)) FROM payments_command
            WHERE kind = 'capture' AND status = 'done' GROUP BY payment_id HAVING count(*) > 1""",
    ),
    Promise(
        number="P7",
        text="Nothing dangles: a hold has a live reservation, or its release is on its way, or a person is told",
        breaches="""
            SELECT p.id::text, format('%%s, its reservation is %%s', p.status, coalesce(r.status, 'missing'))
            FROM payments_payment p LEFT JOIN booking_reservation r ON r.id = p.managed_id
            WHERE p.managed_by = 'reservation'
              AND p.status NOT IN ('succeeded', 'failed', 'canceled') AND p.stuck_at IS NULL
              AND coalesce(r.status, '') NOT IN ('awaiting_payment', 'pending', 'confirmed')
              AND (p.managed_part IS NULL OR p.managed_part IS DISTINCT FROM r.change_id)
              AND NOT EXISTS (SELECT 1 FROM payments_command c WHERE c.payment_id = p.id
                              AND c.status IN ('requested', 'sent', 'unknown') AND c.next_attempt_at IS NOT NULL)
              AND NOT (p.status = 'processing' AND EXISTS (
                      SELECT 1 FROM payments_command c WHERE c.payment_id = p.id AND c.kind = 'cancel'
                      AND c.status = 'done'))
            UNION ALL
            SELECT r.id::text, format('%%s, and its time was over %%s ago', r.status, now() - r.expires_at)
            FROM booking_reservation r
            WHERE r.status IN ('awaiting_payment', 'pending') AND r.expires_at < now() - interval '10 minutes'
            UNION ALL
            SELECT c.id::text, format('%%s change, and its time was over %%s ago', c.status, now() - c.expires_at)
            FROM booking_change c WHERE c.status = 'open' AND c.expires_at < now() - interval '10 minutes'
            UNION ALL
            SELECT c.id::text, format('%%s command %%s, and nobody will send it', c.status, c.kind)
            FROM payments_command c JOIN payments_payment p ON p.id = c.payment_id
            WHERE c.status IN ('requested', 'sent', 'unknown') AND c.next_attempt_at IS NULL AND p.stuck_at IS NULL""",
    ),
    Promise(
        number="P8",
        text="What is over stays over, and its money is back, on its way back, or a person is told",
        breaches="""
            WITH surplus AS (
                SELECT r.id, r.reference, r.status, r.currency, r.changed_at,
                       r.amount_proven + r.amount_collected - r.amount_owed
                           - coalesce(sum(p.amount_refunding), 0) AS amount,
                       array_agg(p.id) AS payments
                FROM booking_reservation r LEFT JOIN payments_payment p ON p.managed_id = r.id
                WHERE r.amount_proven + r.amount_collected > r.amount_owed GROUP BY r.id)
            SELECT s.id::text, format('%%s, and {%%s %%s} are neither back nor on their way', s.status, s.amount,
                                      s.currency)
            FROM surplus s
            WHERE s.amount > 0
              AND NOT EXISTS (SELECT 1 FROM payments_refund f WHERE f.payment_id = ANY(s.payments)
                              AND f.changed_at > now() - interval '10 minutes')
              AND NOT EXISTS (SELECT 1 FROM reconciliation_discrepancy d
                              WHERE (d.payment_id = ANY(s.payments) OR d.subject = s.reference)
                              AND (d.resolved_at IS NULL OR d.resolution = 'done another way'))
            UNION ALL
            SELECT payment_id::text, format('%%s became %%s', from_status, to_status) FROM payments_paymenthistory
            WHERE from_status IN ('failed', 'canceled') AND to_status <> from_status
            UNION ALL
            SELECT reservation_id::text, format('%%s became %%s', from_status, to_status) FROM booking_history
            WHERE from_status = 'cancelled' AND to_status <> from_status""",
    ),
    Promise(
        number="P11",
        text="Every history is unbroken, and ends where its row is: of sales, payments, refunds, offers",
        breaches="""
            SELECT r.id::text, format('is %%s, its history ends with %%s', r.status, coalesce(h.to_status, 'nothing'))
            FROM booking_reservation r
            LEFT JOIN (SELECT DISTINCT ON (reservation_id) reservation_id, to_status FROM booking_history
                       ORDER BY reservation_id, id DESC) h ON h.reservation_id = r.id
            WHERE r.status IS DISTINCT FROM h.to_status
            UNION ALL
            SELECT p.id::text, format('is %%s, its history ends with %%s', p.status, coalesce(h.to_status, 'nothing'))
            FROM payments_payment p
            LEFT JOIN (SELECT DISTINCT ON (payment_id) payment_id, to_status FROM payments_paymenthistory
                       ORDER BY payment_id, id DESC) h ON h.payment_id = p.id
            WHERE p.status IS DISTINCT FROM h.to_status
            UNION ALL
            SELECT f.id::text, format('refund is %%s, its history ends with %%s', f.status,
                                      coalesce(h.to_status, 'nothing'))
            FROM payments_refund f
            LEFT JOIN (SELECT DISTINCT ON (refund_id) refund_id, to_status, amount FROM payments_refundhistory
                       ORDER BY refund_id, id DESC) h ON h.refund_id = f.id
            WHERE (f.status, f.amount) IS DISTINCT FROM (h.to_status, h.amount)
            UNION ALL
            (WITH change AS (
                SELECT id, coalesce(slot_id, activity_id) AS of_row, what, unit, before, after,
                       lag(after) OVER own AS was, row_number() OVER own AS number,
                       lead(id) OVER own IS NULL AS is_last
                FROM catalogue_offerhistory
                WHERE what IN ('capacity', 'is_closed', 'price', 'currency', 'is_active', 'exclusive', 'terms', 'plan')
                WINDOW own AS (PARTITION BY coalesce(slot_id, activity_id), what, unit ORDER BY id)),
            offered AS (
                SELECT s.id AS of_row, o.what, '' AS unit, o.is_now
                FROM catalogue_slot s, LATERAL (VALUES ('capacity', to_jsonb(s.capacity)),
                                                     ('is_closed', to_jsonb(s.is_closed))) AS o(what, is_now)
                UNION ALL
                SELECT r.id, o.what, '', o.is_now
                FROM catalogue_activity r, LATERAL (VALUES ('currency', to_jsonb(r.currency)),
                    ('is_active', to_jsonb(r.is_active)), ('exclusive', to_jsonb(r.exclusive))) AS o(what, is_now)
                UNION ALL
                SELECT activity_id, 'price', unit, to_jsonb(amount) FROM catalogue_rate)
            SELECT of_row::text, format('%%s was %%s, and its history says %%s', concat_ws(' ', what, nullif(unit, '')),
                                        coalesce(before #>> '{}', 'none'), coalesce(was #>> '{}', 'none'))
            FROM change WHERE (number > 1 OR what = 'price') AND before IS DISTINCT FROM was
            UNION ALL
            SELECT coalesce(c.of_row, o.of_row)::text,
                   format('%%s is %%s, its history ends with %%s',
                          concat_ws(' ', coalesce(c.what, o.what), nullif(coalesce(c.unit, o.unit), '')),
                          coalesce(o.is_now #>> '{}', 'none'), coalesce(c.after #>> '{}', 'none'))
            FROM (SELECT * FROM change WHERE is_last) c
            FULL JOIN offered o ON (o.of_row, o.what, o.unit) = (c.of_row, c.what, c.unit)
            WHERE o.is_now IS DISTINCT FROM c.after
              AND (coalesce(c.what, o.what) = 'price' OR (c.of_row IS NOT NULL AND o.of_row IS NOT NULL)))""",
    ),
    Promise(
        number="P12",
        text="Every cent is accounted for: refunded is the sum of the refunds, none is unheard, and the ledger adds up",
        breaches=money_queries.ACCOUNTED,
    ),
    Promise(
        number="P13",
        text="A reservation's money is the sum of its rows: sold, owed and proven, and paid exactly if it is so",
        breaches=money_queries.SUMS,
    ),
)


def check(promise: Promise) -> Verdict:
    """Count the breaches of a promise and fetch some. Reads only."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, what, count(*) OVER () FROM ({promise.breaches}) AS breach(id, what) LIMIT %s",  # noqa: S608
            [_EXAMPLES],
        )
        rows = cursor.fetchall()
    examples = [(str(row[0]), _MONEY.sub(_shown, str(row[1]))) for row in rows]
    return Verdict(promise=promise, breaches=rows[0][2] if rows else 0, examples=examples)


def _shown(money: re.Match[str]) -> str:
    return currencies.shown(int(money[1]), money[2])


def check_all() -> list[Verdict]:
    """Check every promise."""
    return [check(promise) for promise in PROMISES]
