"""A day of a hundred thousand payments, here and at a provider of one process, with differences planted in it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.db import connection, transaction

from payments.outcome_types import ProviderEntry, ProviderPayout
from payments.states import LedgerKind
from tests.support.factories import OperatorFactory

PAYOUT = "po_1"

# The triggers look at how a payment came about; these have come about long ago.
_FILL = """
INSERT INTO webhooks_event (id, provider, account, event_id, type, object_ref, live, api_version, source, payload,
        captured_amount, captured_currency, occurred_at, received_at, status, effect, error, attempts, attested_by,
        attested_because, processed_at, payment_id, endpoint, proven_account, secret_name)
SELECT md5('e' || n)::uuid, 'stripe', '', 'evt_' || n, 'payment_intent.succeeded', 'pi_' || n, false, '', 'webhook',
       '{}', 4500, 'USD', %(at)s, %(at)s, 'applied', 'applied', '', 1, '', '', %(at)s, md5('p' || n)::uuid,
       '', '', 'STRIPE_WEBHOOK_SECRETS'
FROM generate_series(0, %(last)s) n;
INSERT INTO payments_payment (id, operator_id, provider, provider_account, provider_ref, amount, currency,
        capture_method, payment_method_id, customer_id, metadata, managed_by, status, client_secret, failure_code,
        failure_message, amount_captured, amount_refunding, amount_refunded, auth_code, receipt_url, captured_event_id,
        stuck_because, created_at, changed_at, changed_by, changed_because)
SELECT md5('p' || n)::uuid, %(operator)s, 'stripe', '', 'pi_' || n, 4500, 'USD', 'automatic', '', '', '{}', '',
       'succeeded', '', '', '', 4500, 0, 0, '', '', md5('e' || n)::uuid, '', %(at)s, %(at)s, 'test', ''
FROM generate_series(0, %(last)s) n;
"""
_CLOSED = """
UPDATE payments_payment SET status = %(status)s, amount_captured = 0, captured_event_id = NULL
WHERE provider_ref = ANY(%(refs)s);
"""


def fill(*, number: int, at: datetime) -> None:
    """Have so many payments here that were captured at a time."""
    _run(_FILL, {"last": number - 1, "at": at, "operator": OperatorFactory.create().pk})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_event, payments_payment")  # as autovacuum would have by then


def take_back(*, refs: list[str], status: str) -> None:
    """Have payments here whose money we know nothing of."""
    _run(_CLOSED, {"refs": refs, "status": status})


def _run(script: str, values: dict[str, Any]) -> None:
    tables = ("webhooks_event", "payments_payment")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        with transaction.atomic():
            for statement in filter(str.strip, script.split(";")):
                cursor.execute(statement, values)
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@dataclass
class Played:
    """The provider's side: a charge for each payment, made up while it is read; ``changed`` are those that differ."""

    name: ClassVar[str] = "stripe"
    is_live: ClassVar[bool] = False
    number: int
    at: datetime
    changed: dict[str, ProviderEntry | None] = field(default_factory=dict)
    more: list[ProviderEntry] = field(default_factory=list)
    payout_amount: int | None = None
    is_itemized: bool = True
    read: Counter[str] = field(default_factory=Counter)

    def list_entries(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderEntry]:
        """See :meth:`Provider.list_entries`."""
        if since <= self.at < until:
            for number in range(self.number):
                made = charge(number, self.at)
                found = self.changed.get(made.payment_ref, made)
                if found is not None:
                    self.read["entries"] += 1
                    yield found
            yield from self.more

    def list_payouts(self, *, since: datetime, until: datetime, account: str) -> Iterator[ProviderPayout]:
        """See :meth:`Provider.list_payouts`."""
        if self.payout_amount is not None and since <= self.at < until:
            yield ProviderPayout(
                ref=PAYOUT, amount=self.payout_amount, currency="USD", status="paid", is_itemized=self.is_itemized,
                created_at=self.at,
            )  # fmt: skip

    def list_entries_of_payout(self, *, ref: str, account: str) -> Iterator[ProviderEntry]:
        """See :meth:`Provider.list_entries_of_payout`: the first ten charges."""
        assert ref == PAYOUT
        return (charge(number, self.at) for number in range(10))


def charge(number: int, at: datetime) -> ProviderEntry:
    """Write the line that the payment of this number is in the books."""
    return ProviderEntry(
        ref=f"txn_{number}", kind=LedgerKind.CHARGE, category="charge", payment_ref=f"pi_{number}",
        amount=4500, fee=161, net=4339, currency="USD",
        moved=4500, moved_currency="USD", occurred_at=at,
    )  # fmt: skip


def foreign(number: int, at: datetime) -> ProviderEntry:
    """Write the line of a payment that is not known here."""
    return replace(charge(number, at), ref=f"txn_foreign_{number}", payment_ref=f"pi_foreign_{number}")


def yesterday() -> datetime:
    """Return noon of yesterday."""
    return (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
