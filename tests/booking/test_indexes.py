"""No statement of a request, a webhook or a sweep reads a table that grows through: there is an index for each."""

import pytest
from django.db import connection

from sweeps import registry
from tests.support import plans, stripe_events
from tests.support.aging import let_checks_be_due, run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.paying import create
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

GROWING = {
    "booking_reservation", "booking_unit", "booking_history", "payments_payment", "payments_paymenthistory",
    "payments_command", "payments_refund", "payments_dispute", "payments_checkattempt", "idempotency_idempotencykey",
    "catalogue_offerhistory", "webhooks_event", "notifications_mail", "reconciliation_discrepancy",
    "reconciliation_ledgerentry", "payments_refundhistory",
}  # fmt: skip
AT_THEIR_LEISURE = {
    # Each hour, or once a day, over what has come since: read by ranges of time that a planner may read otherwise.
    "purge_idempotency_keys", "settle",
    # Each day, over everything.
    "verify",
}  # fmt: skip


def sell(sandbox: Sandbox) -> tuple[Frontend, list[str], str]:
    """Do what guests, payers and the provider do."""
    slot = SlotFactory.create(capacity=9)
    frontend = Frontend.of(slot)
    made = [frontend.reserve(slot, key=f"key-{n}").json()["reservation"]["id"] for n in range(4)]
    frontend.reserve(slot, key="key-0")
    frontend.post(f"reservations/{made[0]}/confirm")
    frontend.post(f"reservations/{made[1]}/cancel")
    stripe_events.deliver_all(sandbox)
    confirmed = frontend.get(f"reservations/{made[0]}").json()["payment"]["id"]
    assert frontend.post("refunds", {"payment_id": confirmed}).status_code == 201
    intent = create(frontend, capture_method="manual").json()["id"]
    frontend.patch(f"payment_intents/{intent}/confirm")
    return frontend, made, intent


def clean_up(sandbox: Sandbox, frontend: Frontend, made: list[str], intent: str) -> None:
    """Do what the worker does, and read what came of it."""
    for name in registry.SWEEPS:
        if name not in AT_THEIR_LEISURE:
            registry.run(name)
    frontend.post(f"payment_intents/{intent}/capture")
    stripe_events.deliver_all(sandbox)
    for path in ("reservations", "transactions", "slots", f"reservations/{made[3]}", f"reservations/{made[3]}/history"):
        assert frontend.get(path).status_code == 200


def test_every_statement_has_an_index(sandbox: Sandbox) -> None:
    with plans.noting() as sent:
        frontend, made, intent = sell(sandbox)
    run_out(made[2])
    let_checks_be_due()
    with plans.noting() as swept:
        clean_up(sandbox, frontend, made, intent)
    sent += swept
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")  # else nobody would use an index of a table of four rows
    try:
        found = {sql[:400]: tables for sql, params in sent if (tables := plans.scanned((sql, params), GROWING))}
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET enable_seqscan")
    assert len(sent) > 300
    assert not found, "\n\n".join(f"{tables}: {sql}" for sql, tables in found.items())
