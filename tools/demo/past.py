"""A past for the demo: as many reservations as asked, of the last two years, with all that each has left behind.

They are written by the database in batches, without the triggers that would keep their histories: those are written
here, as the triggers would. Every promise holds for them. What they were paid by is an account that nobody asks.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models

from booking.models import Adjustment, History, Reservation, Unit
from catalogue.models import Activity, Slot
from common import database
from notifications.models import Mail
from payments.models import Command, Payment, PaymentHistory, Refund
from webhooks.models import Event

ACCOUNT = "acct_demo_past"
SPAN = timedelta(days=730)
BATCH = 20_000
PER_SLOT = 8
"""Reservations of a departure, of one or two places each."""
_AHEAD = timedelta(days=7)

_FIRST = [
    "Ana", "João", "Marta", "Rui", "Inês", "Tiago", "Sofia", "Hugo", "Clara", "Nuno", "Eva", "Luís", "Rita", "Paulo",
    "Lara", "Iván", "Núria", "Óscar", "Zoé", "Max",
]  # fmt: skip
_LAST = [
    "Souza", "Conceição", "Ferreira", "Almeida", "Gonçalves", "Martínez", "Núñez", "Peña", "Ibáñez", "Müller",
    "Weiß", "Rossi", "Dupont", "Léger", "Nowak", "Kowalski", "Svensson", "Åberg", "Jansen", "Murphy", "Byrne",
    "Smith", "Jones", "Taylor", "Brown", "Novák", "Horváth", "Popescu", "Silva", "Costa", "Pereira", "Gomes",
    "Lopes",
]  # fmt: skip

_SLOTS = """
INSERT INTO catalogue_slot (id, activity_id, starts_at, ends_at, capacity, reserved, is_closed, sold_at, created_at)
SELECT pg_temp.demo_id(at - interval '30 days', 'slot', k),
       (%(activities)s::uuid[])[1 + k %% cardinality(%(activities)s::uuid[])],
       starts_at, starts_at + interval '2 hours', 24, 0, false, at - interval '30 days', at - interval '30 days'
FROM (SELECT k, %(first)s + k * %(slot_step)s + %(ahead)s AS at
      FROM generate_series(%(from_slot)s::bigint, %(to_slot)s - 1) AS k) AS planned,
     -- Ten hours of each day: each at a moment of its own, at which no coming departure of the demo is.
     LATERAL (SELECT date_trunc('day', at) AS day) AS local,
     LATERAL (SELECT date_trunc('minute', day + interval '8 hours' + (at - day) * 10 / 24) + interval '20 seconds'
              AS starts_at) AS sensible
"""
_MADE = """
CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT i, at, pg_temp.demo_id(at, 'reservation', i) AS id, pg_temp.demo_id(at, 'payment', i) AS payment_id,
       pg_temp.demo_id(at + interval '5 minutes', 'event', i) AS event_id,
       s.id AS slot_id, s.starts_at, r.id AS activity_id, r.operator_id, r.currency, r.name AS activity, r.timezone,
       rate.unit, rate.name AS unit_name, rate.amount AS unit_amount, 1 + i %% 2 AS places,
       rate.amount * (1 + i %% 2) AS amount, 'pi_demo' || lpad(i::text, 12, '0') AS ref,
       (%(names)s::text[])[1 + (i * 7) %% cardinality(%(names)s::text[])] || ' ' ||
       (%(surnames)s::text[])[1 + (i / 3) %% cardinality(%(surnames)s::text[])] AS customer,
       'guest' || i %% 300000 || '@example.com' AS email,
       CASE WHEN (i * 37) %% 100 < 80 THEN 'paid' WHEN (i * 37) %% 100 < 87 THEN 'cancelled'
            WHEN (i * 37) %% 100 < 94 THEN 'expired' WHEN (i * 37) %% 100 < 97 THEN 'refunded'
            ELSE 'failed' END AS status,
       (i * 37) %% 100 < 80 OR (i * 37) %% 100 BETWEEN 94 AND 96 AS is_paid
FROM (SELECT i, %(first)s + i * %(step)s AS at FROM generate_series(%(from)s::bigint, %(to)s - 1) AS i) AS planned
JOIN catalogue_slot s ON s.id = pg_temp.demo_id(
    %(first)s + (i / %(per_slot)s) * %(slot_step)s + %(ahead)s - interval '30 days', 'slot', i / %(per_slot)s)
JOIN catalogue_activity r ON r.id = s.activity_id
JOIN LATERAL (SELECT * FROM catalogue_rate WHERE activity_id = r.id ORDER BY amount DESC, unit LIMIT 1) AS rate ON true
"""
_ROWS = (
    """
INSERT INTO payments_payment (id, operator_id, provider, provider_account, provider_ref, amount, currency,
    capture_method, payment_method_id, customer_id, metadata, managed_by, managed_id, status, client_secret,
    failure_code, failure_message, amount_captured, amount_refunding, amount_refunded, auth_code, receipt_url, held_at,
    captured_event_id, stuck_because, created_at, changed_at, changed_by, changed_because)
SELECT payment_id, operator_id, 'stripe', %(account)s, ref, amount, currency, 'manual', 'pm_card_visa', '', '{}',
    'reservation', id, CASE WHEN is_paid THEN 'succeeded' WHEN status = 'failed' THEN 'failed' ELSE 'canceled' END, '',
    CASE WHEN status = 'failed' THEN 'card_declined' ELSE '' END, '', CASE WHEN is_paid THEN amount ELSE 0 END, 0,
    CASE WHEN status = 'refunded' THEN amount ELSE 0 END, '', '', CASE WHEN status <> 'failed' THEN at END,
    CASE WHEN is_paid THEN event_id END, '', at, at + interval '5 minutes', 'demo', 'the past'
FROM made""",
    """
INSERT INTO booking_reservation (id, operator_id, reference, activity_id, slot_id, starts_at, ends_at, payment_id,
    status, exclusive, places, amount, amount_owed, amount_proven, currency, customer_name, customer_email,
    customer_reference, customer_language, metadata, expires_at, confirmed_at, paid_at, created_at, changed_at,
    changed_by, changed_because)
SELECT id, operator_id, 'D' || lpad(upper(to_hex(i)), 6, '0'), activity_id, slot_id, starts_at,
    starts_at + interval '2 hours', payment_id, status, false, places, amount,
    CASE WHEN status = 'paid' THEN amount ELSE 0 END, CASE WHEN status = 'paid' THEN amount ELSE 0 END, currency,
    customer, email, '', '', '{}',
    at + interval '15 minutes',
    CASE WHEN is_paid THEN at + interval '4 minutes' END, CASE WHEN is_paid THEN at + interval '5 minutes' END, at,
    at + interval '5 minutes', 'demo', 'the past'
FROM made""",
    """
INSERT INTO booking_unit (id, reservation_id, unit, name, amount)
SELECT pg_temp.demo_id(at, 'unit' || n, i), id, unit, unit_name, unit_amount
FROM made, generate_series(1, places) AS n""",
    """
INSERT INTO booking_history (reservation_id, at, from_status, to_status, actor, reason)
SELECT id, at + step.after, step.was, step.became, step.actor, step.why FROM made
JOIN (VALUES
    ('all', interval '0', '', 'awaiting_payment', 'client:Demo shop', 'reserve'),
    ('held', interval '1 second', 'awaiting_payment', 'pending', 'provider:stripe', 'authorize: held'),
    ('paid', interval '4 minutes', 'pending', 'confirmed', 'client:Demo shop', 'confirm'),
    ('paid', interval '5 minutes', 'confirmed', 'paid', 'event', 'payment_intent.succeeded'),
    ('refunded', interval '1 day', 'paid', 'refunded', 'event', 'refund.updated'),
    ('cancelled', interval '5 minutes', 'pending', 'cancelled', 'client:Demo shop', 'cancel'),
    ('expired', interval '15 minutes', 'pending', 'expired', 'sweep:expire_reservations', 'the hold''s time is over'),
    ('failed', interval '1 second', 'awaiting_payment', 'failed', 'provider:stripe', 'authorize: card_declined')
) AS step(whose, after, was, became, actor, why)
  ON step.whose IN ('all', status) OR (step.whose = 'held' AND status <> 'failed')
     OR (step.whose = 'paid' AND status = 'refunded')
ORDER BY i, step.after""",
    """
INSERT INTO payments_paymenthistory (payment_id, at, from_status, to_status, actor, reason)
SELECT payment_id, at + step.after, step.was, step.became, step.actor, step.why FROM made
JOIN (VALUES
    ('all', interval '0', '', 'processing', 'client:Demo shop', 'reserve'),
    ('failed', interval '1 second', 'processing', 'failed', 'provider:stripe', 'authorize: card_declined'),
    ('held', interval '1 second', 'processing', 'on_hold', 'provider:stripe', 'authorize: held'),
    ('paid', interval '4 minutes', 'on_hold', 'processing', 'client:Demo shop', 'capture requested'),
    ('paid', interval '5 minutes', 'processing', 'succeeded', 'event', 'payment_intent.succeeded'),
    ('released', interval '16 minutes', 'on_hold', 'canceled', 'provider:stripe', 'cancel: canceled')
) AS step(whose, after, was, became, actor, why)
  ON step.whose IN ('all', status) OR (step.whose = 'held' AND status <> 'failed')
     OR (step.whose = 'paid' AND status = 'refunded')
     OR (step.whose = 'released' AND status IN ('cancelled', 'expired'))
ORDER BY i, step.after""",
    """
INSERT INTO payments_command (id, payment_id, kind, amount, parameters, status, attempts, last_error,
    provider_request_id, requested_by, reason, created_at, first_sent_at, finished_at)
SELECT pg_temp.demo_id(at + step.after, step.kind, i), payment_id, step.kind, amount, '{}',
    CASE WHEN status = 'failed' THEN 'refused' ELSE 'done' END, 1, '', 'req_demo', 'client:Demo shop', step.kind,
    at + step.after, at + step.after, at + step.after + interval '1 second' FROM made
JOIN (VALUES ('authorize', interval '0'), ('capture', interval '4 minutes'), ('cancel', interval '15 minutes'))
  AS step(kind, after)
  ON step.kind = 'authorize' OR (step.kind = 'capture' AND is_paid)
     OR (step.kind = 'cancel' AND status IN ('cancelled', 'expired'))""",
    """
INSERT INTO webhooks_event (id, provider, account, event_id, type, object_ref, live, api_version, source, payload,
    captured_amount, captured_currency, occurred_at, received_at, payment_id, status, effect, error, attempts,
    processed_at, attested_by, attested_because, endpoint, proven_account, secret_name)
SELECT event_id, 'stripe', %(account)s, 'evt_demo' || lpad(i::text, 12, '0'),
    CASE WHEN is_paid THEN 'payment_intent.succeeded' WHEN status = 'failed' THEN 'payment_intent.payment_failed'
         ELSE 'payment_intent.canceled' END, ref, false, '', 'webhook', '{}',
    CASE WHEN is_paid THEN amount ELSE 0 END, CASE WHEN is_paid THEN currency ELSE '' END, at + interval '5 minutes',
    at + interval '5 minutes', payment_id, 'applied', CASE WHEN is_paid THEN 'applied' ELSE 'already' END, '', 1,
    at + interval '5 minutes', '', '', '', %(account)s, 'STRIPE_WEBHOOK_SECRETS'
FROM made""",
    """
INSERT INTO payments_refund (id, operator_id, payment_id, amount, reason, status, provider_ref, failure_code,
    created_at, changed_at, requested_by)
SELECT pg_temp.demo_id(at + interval '1 day', 'refund', i), operator_id, payment_id, amount, 'requested_by_customer',
    'succeeded', 're_demo' || lpad(i::text, 12, '0'), '', at + interval '1 day', at + interval '1 day', 'user:marta'
FROM made WHERE status = 'refunded'""",
    """
INSERT INTO payments_refundhistory (refund_id, at, from_status, to_status, amount, failure_code)
SELECT pg_temp.demo_id(at + interval '1 day', 'refund', i), at + interval '1 day', step.was, step.became, amount, ''
FROM made JOIN (VALUES ('', 'pending'), ('pending', 'succeeded')) AS step(was, became) ON status = 'refunded'
ORDER BY i, step.was""",
    """
INSERT INTO booking_adjustment (id, reservation_id, kind, amount, refund_id, keeps_places, at, actor, reason)
SELECT pg_temp.demo_id(at + interval '5 minutes', 'end', i), id, 'end', -amount, NULL, false, at + interval '5 minutes',
    'client:Demo shop', 'cancel'
FROM made WHERE status = 'cancelled'
UNION ALL
SELECT pg_temp.demo_id(at + interval '1 day', 'goodwill', i), id, 'goodwill', -amount,
    pg_temp.demo_id(at + interval '1 day', 'refund', i), false, at + interval '1 day', 'user:marta',
    'requested_by_customer'
FROM made WHERE status = 'refunded'""",
    """
INSERT INTO notifications_mail (id, operator_id, reservation_id, payment_id, kind, cause, "to", language, facts, status,
    round, attempts, last_error, created_at, sent_at)
SELECT pg_temp.demo_id(at + interval '6 minutes', 'mail', i), operator_id, id, payment_id,
    CASE status WHEN 'refunded' THEN 'paid' ELSE status END, 'demo:' || i, ARRAY[email], 'pt',
    json_build_object('name', customer, 'reference', 'D' || lpad(upper(to_hex(i)), 6, '0'), 'activity', activity,
        'operator', 'Demo', 'starts_at', to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'timezone', timezone, 'units', json_build_object(unit_name, places), 'amount', amount, 'currency', currency,
        'receipt_url', ''), 'sent', 1, 1, '', at + interval '6 minutes',
    at + interval '6 minutes'
FROM made WHERE status <> 'cancelled'""",
    """
UPDATE catalogue_slot s SET reserved = s.reserved + sold.places
FROM (SELECT slot_id, sum(places) AS places FROM made WHERE status = 'paid' GROUP BY slot_id) AS sold
WHERE s.id = sold.slot_id""",
)
_ID = """
CREATE OR REPLACE FUNCTION pg_temp.demo_id(at timestamptz, kind text, number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(hash, 1, 3) || '8'
            || substr(hash, 4, 15))::uuid
    FROM md5(kind || number) AS hash
$$
"""
_TABLES: tuple[type[models.Model], ...] = (
    Slot, Payment, PaymentHistory, Reservation, Unit, Adjustment, History, Command, Event, Refund, Mail,
)  # fmt: skip


class CannotLoadError(Exception):
    """There is a past already."""


def load(*, reservations: int, now: datetime, progress: Callable[[int], None]) -> int:
    """Write a past of so many reservations and return how many were written: none if it is there already.

    One transaction: it is there as a whole, or not at all. ``progress`` is told after each batch how many there are.
    The demo's operators and activities must be loaded.

    Raises:
        CannotLoadError: A past of another length is there.
    """
    there = Payment.objects.filter(provider_account=ACCOUNT).count()
    if there == reservations:
        return 0
    if there:
        raise CannotLoadError(f"A past of {there} reservations is there already, and cannot be taken away.")
    known = _known(reservations, now)
    with database.use_case(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
        _turn_triggers(cursor, "DISABLE")
        cursor.execute(_ID)
        for begun in range(0, reservations, BATCH):
            ended = min(begun + BATCH, reservations)
            slots = {"from_slot": -(-begun // PER_SLOT), "to_slot": -(-ended // PER_SLOT)}
            batch = known | slots | {"from": begun, "to": ended}
            cursor.execute(_SLOTS, batch)
            cursor.execute(_MADE, batch)
            for statement in _ROWS:
                cursor.execute(statement, batch)
            cursor.execute("DROP TABLE made")
            progress(ended)
        _turn_triggers(cursor, "ENABLE")
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"ANALYZE {table._meta.db_table}")
    return reservations


def _known(reservations: int, now: datetime) -> dict[str, Any]:
    activities = Activity.objects.filter(operator__slug__in=("mare-alta", "baia"), exclusive=False).order_by("name")
    return {
        "account": ACCOUNT,
        "activities": list(activities.values_list("pk", flat=True)),
        "first": now - SPAN,
        "step": SPAN / reservations,
        "slot_step": SPAN / reservations * PER_SLOT,
        "ahead": _AHEAD,
        "per_slot": PER_SLOT,
        "names": _FIRST,
        "surnames": _LAST,
    }


def _turn_triggers(cursor: Any, to: str) -> None:
    """Let this transaction write what our triggers would refuse, and nobody else: the tables are locked meanwhile."""
    for table in _TABLES:
        cursor.execute(f"ALTER TABLE {table._meta.db_table} {to} TRIGGER USER")
