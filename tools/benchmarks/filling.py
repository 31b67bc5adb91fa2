"""What the benchmarks sell, and who buys: written before the load, outside of what is measured."""

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.db import connection, transaction
from django.utils import timezone

from booking.models import Reservation
from catalogue.models import Activity, Rate, Slot
from payments import accounts
from payments.models import Payment
from payments.providers import registry
from tenants import api_keys
from tenants.models import Operator, Scope
from tools.benchmarks.stack import DATA, SECRET

CLIENTS = 64
SLOTS = 1_000
_APPS = "booking|payments|webhooks|reconciliation|notifications|idempotency|sweeps"
_TABLES = f"^({_APPS}|tenants_(operator|apiclient|requestcount))"


def empty() -> None:
    """Forget the reservations of the run before, and all else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ %s", [_TABLES])
        names = [name for (name,) in cursor.fetchall()]
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'is_never_emptied'")
        guarded = [name for (name,) in cursor.fetchall()]
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER is_never_emptied")
        cursor.execute(f"TRUNCATE {', '.join(names)} CASCADE")
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER is_never_emptied")


def fill() -> None:
    """Make an operator with an activity, a thousand departures that never sell out, and its clients' keys."""
    operator = Operator.objects.create(name="Benchmark", slug="benchmark", currency="USD", timezone="UTC")
    accounts.add(operator=operator, provider=registry.names()[0])
    keys = [api_keys.issue(operator=operator, name=f"benchmark {n}", scopes=list(Scope))[1] for n in range(CLIENTS)]
    activity = Activity.objects.create(operator=operator, name="Kayak tour", timezone="UTC", currency="USD")
    Rate.objects.create(activity=activity, unit="adult", name="Adult", amount=4500)
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    slots = Slot.objects.bulk_create(
        Slot(activity=activity, starts_at=start + timedelta(hours=n), capacity=1_000_000,
             ends_at=start + timedelta(hours=n + 1)) for n in range(SLOTS)
    )  # fmt: skip
    write("keys", keys)
    write("slots", [str(slot.pk) for slot in slots])
    write("hot", [str(slots[0].pk)])
    write("another", [str(slots[-1].pk)])
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_slot")
        cursor.execute("CREATE TABLE benchmark_slot (number int PRIMARY KEY, id uuid NOT NULL)")
        number = "row_number() OVER (ORDER BY starts_at)"
        cursor.execute(f"INSERT INTO benchmark_slot SELECT {number}, id FROM catalogue_slot")  # noqa: S608


def confirm_all() -> None:
    """Let every hold be confirmed and its money be on the way, as after so many calls of the API, and list them."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE booking_reservation SET status = 'confirmed', confirmed_at = now(), changed_at = now() "
                       "WHERE status = 'pending'")  # fmt: skip
        cursor.execute("UPDATE payments_payment SET status = 'processing', changed_at = now() "
                       "WHERE status = 'on_hold'")  # fmt: skip
        cursor.execute("DROP TABLE IF EXISTS benchmark_due; DROP SEQUENCE IF EXISTS benchmark_next")
        cursor.execute("CREATE TABLE benchmark_due AS SELECT row_number() OVER () AS number, id AS reservation, "
                       "payment_id AS payment FROM booking_reservation WHERE status = 'confirmed'")  # fmt: skip
        cursor.execute("CREATE UNIQUE INDEX ON benchmark_due (number); CREATE SEQUENCE benchmark_next; ANALYZE")


def write_events() -> None:
    """Write signed events of a quarter of the money that is on the way; the rest is left for the limit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT payment FROM benchmark_due WHERE number <= (SELECT count(*) / 4 FROM benchmark_due)")
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT setval('benchmark_next', %s)", [len(ids)])
    write("events", [_signed(_captured(payment)) for payment in Payment.objects.filter(pk__in=ids)])


def write_paths() -> None:
    """Write where reservations, and the departures of a month, are read."""
    ids = Reservation.objects.values_list("pk", flat=True)[:SLOTS]
    write("reservations", [f"/api/v1/reservations/{pk}" for pk in ids])
    activity = Activity.objects.get()
    start = timezone.now().replace(microsecond=0)
    until = start + timedelta(days=30)
    query = urlencode(
        {"resource_id": activity.pk, "from": start.isoformat(), "to": until.isoformat(), "page_size": 100}
    )
    write("month", [f"/api/v1/slots?{query}"])


def write(name: str, lines: Sequence[str]) -> None:
    """Write lines to a file that a script of wrk reads."""
    path(name).write_text("\n".join(lines) + "\n")


def path(name: str) -> Path:
    """Return where a file for a script of wrk is."""
    return DATA / f"{name}.txt"


def _captured(payment: Payment) -> dict[str, Any]:
    """Write the event that tells of a payment's capture, with the fields that Stripe's has and we read."""
    now = int(time.time())
    intent = {
        "id": payment.provider_ref, "object": "payment_intent", "amount": payment.amount, "amount_capturable": 0,
        "amount_received": payment.amount, "capture_method": "manual", "client_secret": "", "created": now,
        "currency": payment.currency.lower(), "latest_charge": None, "livemode": False, "next_action": None,
        "last_payment_error": None, "status": "succeeded", "metadata": {"holdfast_payment": str(payment.pk)},
        "payment_method_types": ["card"], "description": None, "on_behalf_of": None, "receipt_email": None,
    }  # fmt: skip
    return {
        "id": f"evt_{payment.pk}", "object": "event", "api_version": "2026-10-28.endive", "created": now,
        "data": {"object": intent}, "livemode": False, "pending_webhooks": 1, "type": "payment_intent.succeeded",
        "request": {"id": None, "idempotency_key": None},
    }  # fmt: skip


def _signed(event: dict[str, Any]) -> str:
    body, now = json.dumps(event), int(time.time())
    signature = hmac.new(SECRET.encode(), f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={now},v1={signature}\t{body}"
