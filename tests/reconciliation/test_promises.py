"""Each promise's query finds the breach that is planted: a check that finds nothing proves nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connection

from booking.models import Reservation
from catalogue.models import Activity, Slot
from reconciliation import dangling_holds
from reconciliation.promises import check_all
from tests.support import promises, stripe_events
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

PLANTED = [
    ("P1", "UPDATE catalogue_slot SET reserved = reserved + 1"),
    ("P1", "UPDATE catalogue_slot SET reserved = 0"),
    ("P3", "UPDATE payments_payment SET captured_event_id = gen_random_uuid() WHERE status = 'succeeded'"),
    ("P3", "UPDATE webhooks_event SET proven_account = NULL WHERE captured_amount > 0"),
    ("P3", "UPDATE payments_payment SET provider_account = 'acct_x' WHERE status = 'succeeded'"),
    ("P3", "UPDATE payments_payment SET managed_id = gen_random_uuid() WHERE status = 'succeeded'"),
    ("P3", """UPDATE payments_payment SET status = 'succeeded', amount_captured = amount, captured_event_id =
                  (SELECT id FROM webhooks_event WHERE captured_amount > 0) WHERE status = 'on_hold'"""),
    ("P4", "UPDATE webhooks_event SET processed_at = NULL WHERE status = 'applied'"),
    ("P4", "UPDATE webhooks_event SET proven_account = NULL WHERE type = 'payment_intent.created'"),
    ("P4", "UPDATE webhooks_event SET account = 'acct_x', proven_account = 'acct_x' WHERE captured_amount > 0"),
    ("P5", "UPDATE payments_command SET kind = 'refund' WHERE kind = 'authorize'"),
    ("P7", "UPDATE booking_reservation SET status = 'cancelled' WHERE status = 'pending'"),
    ("P7", "UPDATE booking_reservation SET expires_at = now() - interval '1 hour' WHERE status = 'pending'"),
    ("P7", "UPDATE payments_command SET status = 'unknown', next_attempt_at = NULL"),
    ("P11", "UPDATE booking_reservation SET status = 'failed', amount_owed = 0 WHERE status = 'pending'"),
    ("P11", "UPDATE payments_payment SET status = 'failed' WHERE status = 'on_hold'"),
    ("P11", "UPDATE catalogue_slot SET capacity = 12"),
    ("P11", "UPDATE catalogue_slot SET is_closed = true"),
    ("P11", "UPDATE catalogue_rate SET amount = 4600 WHERE unit = 'adult'"),
    ("P11", "DELETE FROM catalogue_rate WHERE unit = 'child'"),
    ("P11", """INSERT INTO catalogue_rate (id, activity_id, unit, name, amount)
                   SELECT gen_random_uuid(), activity_id, 'senior', 'Senior', 3000 FROM catalogue_rate LIMIT 1"""),
    ("P11", "UPDATE catalogue_activity SET is_active = false"),
    ("P11", "DELETE FROM catalogue_offerhistory WHERE before = '7'"),
    ("P11", "UPDATE catalogue_offerhistory SET after = '9' WHERE what = 'is_closed'"),
    ("P13", "UPDATE booking_reservation SET amount_owed = amount_owed + 1 WHERE status = 'pending'"),
    ("P13", "UPDATE booking_reservation SET amount_proven = amount_proven + 1 WHERE status = 'paid'"),
    ("P13", "UPDATE booking_reservation SET amount = 1, amount_owed = 1 WHERE status = 'pending'"),
    ("P12", "UPDATE payments_payment SET amount_refunded = 1 WHERE status = 'succeeded'"),
]  # fmt: skip


@contextmanager
def without_guards() -> Iterator[None]:
    """Take the triggers away, as a fault of the database or of its administrator would."""
    tables = (
        "catalogue_slot", "booking_reservation", "catalogue_rate", "catalogue_activity", "catalogue_offerhistory",
        "payments_payment", "payments_command", "webhooks_event",
    )  # fmt: skip
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield
        finally:
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def world(sandbox: Sandbox) -> Frontend:
    """One reservation that is held, and one that is paid."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    frontend.reserve(slot)
    made = frontend.reserve(slot).json()["reservation"]
    frontend.post(f"reservations/{made['id']}/confirm")
    stripe_events.deliver_all(sandbox)
    for capacity in (7, 8):
        Slot.objects.update(capacity=capacity, is_closed=capacity == 7)
    Activity.objects.update(is_active=False)
    Activity.objects.update(is_active=True)
    promises.hold(at_provider=True)
    return frontend


class TestPromises:
    @pytest.mark.parametrize(("number", "breach"), PLANTED)
    def test_a_breach_is_found(self, world: Frontend, number: str, breach: str) -> None:
        with without_guards(), connection.cursor() as cursor:
            cursor.execute(breach)
            assert cursor.rowcount > 0
        assert number in {verdict.promise.number for verdict in check_all() if verdict.breaches}
        with pytest.raises(SystemExit):
            call_command("verify")

    def test_a_hold_for_nobody_is_found_at_the_provider(self, world: Frontend) -> None:
        with without_guards(), connection.cursor() as cursor:
            cursor.execute("UPDATE booking_reservation SET status = 'cancelled' WHERE status = 'pending'")
        verdict = dangling_holds.check()
        assert verdict.breaches == 1
        ref, what = verdict.examples[0]
        assert ref == Reservation.objects.get(status="cancelled").payments[-1].provider_ref
        assert what.startswith("held 45.00 USD for nobody")
