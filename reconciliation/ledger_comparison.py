"""Compares our payments with the provider's ledger, in the database.

Only what differs comes out of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from common import database, loops
from payments.models import Payment
from reconciliation import discrepancies, evidence
from reconciliation.accounts import Account
from reconciliation.models import DiscrepancyKind

_CHUNK = 200

# What moved in that time, there or here. Tables of this transaction, since they are asked more than once, and so that
# the planner knows how large they are.
_TOUCHED = """
    CREATE TEMPORARY TABLE reconciliation_touched ON COMMIT DROP AS
    SELECT payment_ref AS ref FROM reconciliation_ledgerentry
    WHERE provider = %(provider)s AND account = %(account)s AND payment_ref <> ''
      AND occurred_at >= %(since)s AND occurred_at < %(until)s
    UNION
    SELECT p.provider_ref FROM webhooks_event e JOIN payments_payment p ON p.captured_event_id = e.id
    WHERE e.captured_amount > 0 AND e.occurred_at >= %(since)s AND e.occurred_at < %(until)s
      AND p.provider = %(provider)s AND p.provider_account = %(account)s
    UNION
    SELECT p.provider_ref FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
    WHERE r.changed_at >= %(since)s AND r.changed_at < %(until)s
      AND p.provider = %(provider)s AND p.provider_account = %(account)s
"""

_THEIRS = """
    CREATE TEMPORARY TABLE reconciliation_theirs ON COMMIT DROP AS
    SELECT b.payment_ref AS ref, max(b.occurred_at) AS latest, sum(b.fee) AS fees, sum(b.net) AS net,
           coalesce(sum(b.moved) FILTER (WHERE b.kind = 'charge'), 0) AS captured,
           coalesce(-sum(b.moved) FILTER (WHERE b.kind = 'refund'), 0) AS refunded,
           min(b.moved_currency) AS currency, max(b.moved_currency) AS other_currency,
           min(b.currency) AS balance_currency
    FROM reconciliation_ledgerentry b JOIN reconciliation_touched t ON t.ref = b.payment_ref
    WHERE b.provider = %(provider)s AND b.account = %(account)s GROUP BY b.payment_ref
"""

# A payment in motion is compared when it has come to rest; one from before the first read of the ledger cannot
# be compared.
_SIDES = """
    CREATE TEMPORARY TABLE reconciliation_sides ON COMMIT DROP AS
    SELECT t.ref, p.id AS payment_id, p.status AS our_status, p.currency AS our_currency,
           coalesce(p.amount_captured, 0) AS our_captured, coalesce(p.amount_refunded, 0) AS our_refunded,
           coalesce(th.captured, 0) AS captured, coalesce(th.refunded, 0) AS refunded, th.fees, th.net, th.currency,
           th.other_currency, th.balance_currency
    FROM reconciliation_touched t
    LEFT JOIN payments_payment p
           ON p.provider = %(provider)s AND p.provider_account = %(account)s AND p.provider_ref = t.ref
    LEFT JOIN webhooks_event e ON e.id = p.captured_event_id
    LEFT JOIN reconciliation_theirs th ON th.ref = t.ref
    WHERE coalesce(th.latest, '-infinity') < now() - %(rest)s AND coalesce(p.changed_at, '-infinity') < now() - %(rest)s
      AND coalesce(p.amount_refunding, 0) = 0 AND coalesce(e.occurred_at, 'infinity') >= %(books_begin)s
      AND NOT EXISTS (SELECT 1 FROM payments_refund r WHERE r.payment_id = p.id AND r.changed_at >= now() - %(rest)s)
"""

# In one order, since two runs at once wait for each other's rows: in two orders they would deadlock.
_DIFFERENCES = """
    SELECT ref, payment_id, our_status, our_currency, our_captured, our_refunded,
           captured, refunded, fees, net, currency,
           CASE WHEN payment_id IS NULL THEN 'missing_here'
                WHEN captured = 0 AND our_captured > 0 THEN 'missing_there'
                WHEN currency <> our_currency OR other_currency <> our_currency THEN 'currency'
                WHEN our_captured > 0 THEN 'amount'
                WHEN our_status IN ('failed', 'canceled') THEN 'late'
                ELSE 'status' END AS kind
    FROM reconciliation_sides
    WHERE (payment_id IS NULL AND (captured <> 0 OR refunded <> 0))
       OR (payment_id IS NOT NULL AND (our_captured <> captured OR our_refunded <> refunded
                                       OR currency <> our_currency OR other_currency <> our_currency))
    ORDER BY ref
"""

_TOTALS = """
    SELECT coalesce(our_currency, currency), count(*),
           sum(our_captured), sum(captured), sum(our_refunded), sum(refunded)
    FROM reconciliation_sides GROUP BY 1 ORDER BY 1
"""

_BALANCES = """
    SELECT balance_currency, sum(fees), sum(net) FROM reconciliation_sides
    WHERE balance_currency IS NOT NULL GROUP BY 1 ORDER BY 1
"""

_WORDS = {
    DiscrepancyKind.MISSING_HERE: "The provider has a payment in its ledger that is not known here.",
    DiscrepancyKind.MISSING_THERE: "This payment is captured here, and the provider's ledger does not have it.",
    DiscrepancyKind.CURRENCY: "The provider's ledger has this payment in another currency.",
    DiscrepancyKind.AMOUNT: "The provider's ledger has another amount captured or refunded of this payment.",
    DiscrepancyKind.STATUS: "The provider has taken money for this payment, and here there is no evidence of it.",
    DiscrepancyKind.LATE: "The provider has taken money for this payment, which was closed here before.",
}


@dataclass(slots=True)
class Compared:
    """What came of a comparison; ``differences`` are those opened by it."""

    payments: int = 0
    differences: int = 0
    totals: dict[str, Any] = field(default_factory=dict)
    is_complete: bool = True


def compare(*, account: Account, since: datetime, until: datetime, books_begin: datetime) -> Compared:
    """Compare payments of a time; open a discrepancy for each difference.

    One transaction over one snapshot; rows that differ are streamed out of it. Must be called outside a transaction.
    """
    values: dict[str, Any] = {
        "provider": account.provider,
        "account": account.account,
        "since": since,
        "until": until,
        "books_begin": books_begin,
        "rest": timedelta(seconds=settings.RECONCILE_AFTER_SECONDS),
    }
    found = Compared()
    with database.use_case():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '15min'")
            cursor.execute(_TOUCHED, values)
            cursor.execute("ANALYZE reconciliation_touched")
            cursor.execute(_THEIRS, values)
            cursor.execute("ANALYZE reconciliation_theirs")
            cursor.execute(_SIDES, values)
        found.totals = _totals()
        found.payments = sum(side["payments"] for side in found.totals["payments"].values())
        run = loops.each(_differences(), lambda row: _open(account, row), name="compare", label=lambda row: row["ref"])
        found.differences, found.is_complete = run.done, run.is_complete
    return found


def _totals() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS)
        payments = {
            row[0]: {
                "payments": row[1],
                "captured": {"here": int(row[2]), "there": int(row[3])},
                "refunded": {"here": int(row[4]), "there": int(row[5])},
            }
            for row in cursor.fetchall()
        }
        cursor.execute(_BALANCES)
        balances = {row[0]: {"fees": int(row[1]), "net": int(row[2])} for row in cursor.fetchall()}
    return {"payments": payments, "balances": balances}


def _differences() -> Iterator[dict[str, Any]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_DIFFERENCES)
        names = [column[0] for column in cursor.description]
        while rows := cursor.fetchmany(_CHUNK):
            yield from (dict(zip(names, row, strict=True)) for row in rows)


def _open(account: Account, row: dict[str, Any]) -> bool:
    kind = DiscrepancyKind(row["kind"])
    payment = _payment(row["payment_id"])
    ours = {"status": row["our_status"], "currency": row["our_currency"]} | {
        "captured": row["our_captured"],
        "refunded": row["our_refunded"],
    }
    theirs = {
        name: row[name] if name == "currency" else int(row[name] or 0)
        for name in ("currency", "captured", "refunded", "fees", "net")
    }
    return discrepancies.open_once(
        kind=kind,
        account=account,
        subject=row["ref"],
        summary=_WORDS[kind],
        difference={"ours": ours if payment else None, "theirs": theirs},
        seen=(evidence.of_payment(payment) if payment else {"ours": None}) | {"theirs": theirs},
        payment=payment,
        by="settlement run",
    )


def _payment(payment_id: UUID | None) -> Payment | None:
    return None if payment_id is None else Payment.objects.get(pk=payment_id)
