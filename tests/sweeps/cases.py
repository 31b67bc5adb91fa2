"""For each sweep five rows that are suitable for it, and how one of them is locked, poisoned or refused."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models.functions import Now

from adminkit import bulk
from adminkit.models import BulkRun
from booking import expiring, releasing
from booking.models import Reservation
from common import database
from idempotency import keys
from idempotency.models import IdempotencyKey
from notifications import rendering, writing
from notifications.models import Mail
from payments import sending
from payments.models import CheckAttempt, Command, Payment
from reconciliation import promises, settlements, status_checks
from reconciliation.models import SettlementRun
from sweeps import registry
from sweeps.models import SweepRun
from tenants import rate_limits
from tests.support import pix, stripe_events
from tests.support.aging import end_leases, let_checks_be_due
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory, make_client
from tests.support.sandbox_client import Sandbox
from tests.support.virtual_clock import Clock
from webhooks import inbox, notices, routing
from webhooks.models import Event, Notice

Rows = Sequence[object]
NUMBER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How a sweep is tried: ``lock`` is (table, column), ``refuse`` (INSERT, UPDATE or DELETE, table, column)."""

    prepare: Callable[[Sandbox, Clock], Rows]
    work: tuple[object, str]
    """The function that raises for the poisoned row."""
    lock: tuple[str, str] | None
    refuse: tuple[str, str, str] | None
    done: Callable[[], set[str]]
    """Returns the rows that were done, named as ``prepare`` names them."""
    beside: Callable[[pytest.MonkeyPatch], AbstractContextManager[object]] = nullcontext
    """What has to stand beside the sandbox."""


def reserve(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five reservations."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    return [UUID(frontend.reserve(slot).json()["reservation"]["id"]) for _ in range(NUMBER)]


def texts(values: object) -> set[str]:
    """Return ids as texts."""
    return {str(value) for value in values}  # type: ignore[attr-defined]


def run_out(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five holds past their time."""
    made = reserve(sandbox, clock)
    Reservation.objects.update(expires_at=Now() - timedelta(seconds=1))
    return made


def commands_due(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five commands that did not reach the provider."""
    sandbox.fault("POST /v1/payment_intents", "error_before", times=NUMBER)
    reserve(sandbox, clock)
    end_leases()
    return list(Command.objects.order_by("id").values_list("pk", flat=True))


def orphans(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five events whose payments come later: when they are tried again."""
    reserve(sandbox, clock)
    event = stripe_events.happened(sandbox, "payment_intent.amount_capturable_updated")[-1]
    intent = event["data"]["object"]
    for number in range(NUMBER):
        foreign = intent | {"id": f"pi_{number}", "metadata": {}}
        stripe_events.deliver(event | {"id": f"evt_{number}", "data": {"object": foreign}})
    end_leases()
    return [f"evt_{number}" for number in range(NUMBER)]


def notified(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five notices of five payments."""
    slot = SlotFactory.create(activity__currency="BRL")
    frontend = Frontend.of(slot)
    refs = [pix.reserve(frontend, slot).json()["payment"]["provider_ref"] for _ in range(NUMBER)]
    assert {pix.notify(ref) for ref in refs} == {200}
    return refs


def looks_due(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five payments that are due for a check."""
    reserve(sandbox, clock)
    let_checks_be_due()
    return list(Payment.objects.order_by("next_check_at").values_list("pk", flat=True))


def unheard(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five captures whose events were lost."""
    sandbox.webhooks("drop")
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    for _ in range(NUMBER):
        made = frontend.reserve(slot).json()["reservation"]["id"]
        frontend.post(f"reservations/{made}/confirm")
    return list(Payment.objects.order_by("id").values_list("provider_ref", flat=True))


def unwanted(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five holds whose reservations are over and whose releases were lost."""
    reserve(sandbox, clock)
    held = list(Payment.objects.order_by("id").values_list("pk", flat=True))
    Reservation.objects.update(expires_at=Now() - timedelta(seconds=1))
    expiring.expire_due()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_command DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM payments_command WHERE kind = 'cancel'")
        cursor.execute("ALTER TABLE payments_command ENABLE TRIGGER USER")
    clock.advance(timedelta(minutes=10))
    return held


def mails(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five mails that wait."""
    run_out(sandbox, clock)
    expiring.expire_due()
    writing.write_due()
    return list(Mail.objects.order_by("next_attempt_at", "pk").values_list("pk", flat=True))


def accounts(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five accounts with a day that somebody has begun to settle."""
    names = [f"acct_{number}" for number in range(NUMBER)]
    for name in names:
        OperatorFactory.create(account=name)
    day = (database.now() - settlements.LATEST).date() - timedelta(days=1)
    start, _ = settlements.bounds(day)
    about = {"provider": "stripe", "date": day, "read_until": start, "started_at": start}
    SettlementRun.objects.bulk_create([SettlementRun(account=name, **about) for name in names])
    return names


def bulk_runs(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five runs of an action on many rows."""
    person = get_user_model().objects.create_superuser("root")
    slots = [SlotFactory.create() for _ in range(NUMBER)]
    about = {"person": person, "model": "catalogue.slot", "action": "close", "title": "Close", "reason": "wind"}
    return [BulkRun.objects.create(rows=[str(slot.pk)], **about).pk for slot in slots]


def old_keys(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five keys that are old."""
    client, _ = make_client(OperatorFactory.create())
    old = {"leased_until": Now(), "status_code": 200, "created_at": Now() - timedelta(days=30)}
    return [IdempotencyKey.objects.create(pk=int(key), api_client=client, key=key, **old).pk for key in KEYS]


def old_counts(sandbox: Sandbox, clock: Clock) -> Rows:
    """Make five counts of requests that are old."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tenants_requestcount")
        cursor.execute(
            "INSERT INTO tenants_requestcount (who, requests, ends_at)"
            " SELECT unnest(%s::text[]), 1, now() - interval '2 hours'",
            [list(COUNTED)],
        )
    return COUNTED


def forgotten_counts() -> set[str]:
    """Return the counts that were forgotten."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT who FROM tenants_requestcount")
        return set(COUNTED) - {who for (who,) in cursor.fetchall()}


def forgotten_keys() -> set[str]:
    """Return the keys that were forgotten."""
    return set(KEYS) - texts(IdempotencyKey.objects.values_list("pk", flat=True))


def some_promises(sandbox: Sandbox, clock: Clock) -> Rows:
    """Name five promises."""
    return [promise.number for promise in promises.PROMISES[:NUMBER]]


def checked_promises() -> set[str]:
    """Return the promises that were checked: all but one, as the run says."""
    all_but_one = f"1 of {len(promises.PROMISES)} failed (ValueError ×1)"
    numbers = [promise.number for promise in promises.PROMISES]
    poisoned = numbers[2]
    return set(numbers) - {poisoned} if SweepRun.objects.get(name=registry.VERIFY).error == all_but_one else set()


COUNTED = tuple(f"old {number}" for number in range(NUMBER))
KEYS = tuple(str(10_000_000 + number) for number in range(NUMBER))

CASES = {
    "expire_reservations": Case(
        prepare=run_out,
        work=(Reservation, "move"),
        lock=("booking_reservation", "id"),
        refuse=("UPDATE", "booking_reservation", "id"),
        done=lambda: texts(Reservation.objects.filter(status="expired").values_list("pk", flat=True)),
    ),
    "send_commands": Case(
        prepare=commands_due,
        work=(sending, "send"),
        lock=("payments_command", "id"),
        refuse=("UPDATE", "payments_command", "id"),
        done=lambda: texts(Command.objects.filter(status="done").values_list("pk", flat=True)),
    ),
    "look_up_notices": Case(
        prepare=notified,
        work=(notices, "observe"),
        lock=("webhooks_notice", "lookup_ref"),
        refuse=("UPDATE", "webhooks_notice", "lookup_ref"),
        done=lambda: set(Notice.objects.filter(status="looked_up").values_list("lookup_ref", flat=True)),
        beside=pix.playing,
    ),
    "retry_events": Case(
        prepare=orphans,
        work=(routing, "apply"),
        lock=("webhooks_event", "event_id"),
        refuse=("UPDATE", "webhooks_event", "event_id"),
        done=lambda: set(Event.objects.filter(attempts=2, status="orphaned").values_list("event_id", flat=True)),
    ),
    "reconcile": Case(
        prepare=looks_due,
        work=(status_checks, "check"),
        lock=("payments_payment", "id"),
        refuse=("INSERT", "payments_checkattempt", "payment_id"),
        done=lambda: texts(CheckAttempt.objects.filter(result="in_step").values_list("payment", flat=True)),
    ),
    "recover_events": Case(
        prepare=unheard,
        work=(inbox, "ingest"),
        lock=("payments_payment", "provider_ref"),
        refuse=("INSERT", "webhooks_event", "object_ref"),
        done=lambda: set(Payment.objects.filter(status="succeeded").values_list("provider_ref", flat=True)),
    ),
    "release_holds": Case(
        prepare=unwanted,
        work=(releasing, "release_unwanted"),
        lock=("payments_payment", "id"),
        refuse=("INSERT", "payments_command", "payment_id"),
        done=lambda: texts(Command.objects.filter(kind="cancel").values_list("payment", flat=True)),
    ),
    "send_mails": Case(
        prepare=mails,
        work=(rendering, "message"),
        lock=("notifications_mail", "id"),
        refuse=("UPDATE", "notifications_mail", "id"),
        done=lambda: texts(Mail.objects.filter(status="sent").values_list("pk", flat=True)),
    ),
    "settle": Case(
        prepare=accounts,
        work=(settlements, "settle"),
        lock=("reconciliation_settlementrun", "account"),
        refuse=("UPDATE", "reconciliation_settlementrun", "account"),
        done=lambda: set(SettlementRun.objects.filter(status="done").values_list("account", flat=True)),
    ),
    "carry_on_bulk_runs": Case(
        prepare=bulk_runs,
        work=(bulk, "claim"),
        lock=("adminkit_bulkrun", "id"),
        refuse=("UPDATE", "adminkit_bulkrun", "id"),
        done=lambda: texts(BulkRun.objects.filter(finished_at__isnull=False).values_list("pk", flat=True)),
    ),
    "purge_idempotency_keys": Case(
        prepare=old_keys,
        work=(keys, "_forget"),
        lock=("idempotency_idempotencykey", "id"),
        refuse=("DELETE", "idempotency_idempotencykey", "id"),
        done=forgotten_keys,
    ),
    "forget_request_counts": Case(
        prepare=old_counts,
        work=(rate_limits, "_forget"),
        lock=("tenants_requestcount", "who"),
        refuse=("DELETE", "tenants_requestcount", "who"),
        done=forgotten_counts,
    ),
    "verify": Case(prepare=some_promises, work=(promises, "check"), lock=None, refuse=None, done=checked_promises),
}
