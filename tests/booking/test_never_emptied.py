"""Histories and evidence cannot be emptied: what refuses DELETE refuses TRUNCATE, from wherever it comes."""

import pytest
from django.db import DatabaseError, connection, transaction

from booking.models import History
from payments.models import PaymentHistory
from tests.support.api import Frontend
from tests.support.database import EMPTYING
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

ON_DELETE, ON_TRUNCATE = 8, 32  # bits of pg_trigger.tgtype


def tables_with_guard(event: int) -> set[str]:
    """Return the tables of ours on which a function refuses whatever is done by such a statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE NOT t.tgisinternal AND t.tgenabled = 'O' AND t.tgtype & %s <> 0 AND p.prosrc ~ 'RAISE EXCEPTION'
            """,
            [event],
        )
        return {table for (table,) in cursor.fetchall()}


def referred_to(tables: set[str]) -> set[str]:
    """Return the tables that these refer to, over however many steps: a TRUNCATE … CASCADE of them comes here."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE above AS (
                SELECT confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)
                UNION SELECT c.confrelid FROM pg_constraint c JOIN above a ON c.conrelid = a.confrelid
                WHERE c.contype = 'f')
            SELECT confrelid::regclass::text FROM above
            """,
            [sorted(tables)],
        )
        return {table for (table,) in cursor.fetchall()}


def is_refused(statement: str) -> bool:
    """Say whether a statement is refused; what it does is rolled back."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            transaction.set_rollback(True)
    except DatabaseError as error:
        return "is refused" in str(error)
    return False


class TestTruncate:
    def test_is_refused_where_delete_is(self) -> None:
        kept = tables_with_guard(ON_DELETE)
        assert kept >= {
            "booking_history", "catalogue_offerhistory", "booking_reservation", "booking_unit", "django_admin_log",
            "notifications_mail", "payments_checkattempt", "payments_command", "payments_dispute", "payments_payment",
            "payments_paymenthistory", "payments_refund", "payments_refundhistory", "reconciliation_ledgerentry",
            "reconciliation_discrepancy", "webhooks_event",
        }  # fmt: skip
        assert kept - tables_with_guard(ON_TRUNCATE) == set()
        assert {table for table in kept if not is_refused(f"TRUNCATE {table} CASCADE")} == set()

    def test_is_refused_when_it_comes_from_above(self) -> None:
        above = referred_to(tables_with_guard(ON_DELETE))
        assert {"tenants_operator", "catalogue_activity", "catalogue_slot"} <= above
        assert {table for table in above if not is_refused(f"TRUNCATE {table} CASCADE")} == set()

    def test_leaves_what_has_happened(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        before = (History.objects.count(), PaymentHistory.objects.count())
        assert min(before) > 0
        assert is_refused("TRUNCATE booking_history, payments_paymenthistory RESTART IDENTITY CASCADE")
        assert (History.objects.count(), PaymentHistory.objects.count()) == before

    def test_without_the_guards_it_would_be_gone(self) -> None:
        off, on = EMPTYING
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(off)
            cursor.execute("TRUNCATE booking_history")
            cursor.execute(on)
        assert is_refused("TRUNCATE booking_history")
