"""Readiness of this process and status of the installation.

``/health/ready`` and ``/health/status``.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import Any

import psycopg
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from common import connecting, redis_client, times
from common.bounded_call import BoundedCall
from payments.models import ProviderThrottle
from sweeps.models import SweepRun
from sweeps.registry import SWEEPS, VERIFY

READY_SECONDS = 1.8
"""How long readiness waits for the database; the contract allows two seconds."""
_GRACE = timedelta(minutes=3)
"""A scheduler looks every half minute and a queue may be busy: late is more than this over the interval."""

Check = dict[str, object]
Checks = dict[str, Check]
Runs = Mapping[str, SweepRun]

_AWAY: Check = {"ok": False, "reason": "the database does not answer"}


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 if the database is usable and migrated, else 503."""
    return _answer(_base())


def status(request: HttpRequest) -> JsonResponse:
    """Answer with every check, and 200 if all are well."""
    found = _base()
    if found["database"]["ok"] and found["migrations"]["ok"]:
        found |= checks()
    return _answer(found | _redis())


def checks() -> Checks:
    """Check the background: worker, sweeps, promises and providers."""
    runs = list_runs()
    late, failing = overdue(runs), sorted(run.name for run in runs.values() if run.error)
    sweeps: Check = {"ok": not late} | ({"overdue": late} if late else {})
    if failing:  # for a person to look at, and no reason to take the installation for down
        sweeps["failing"] = failing
    return {
        "worker": _worker(runs),
        "sweeps": sweeps,
        "promises": _promises(runs),
        "providers": _providers(),
    }


def list_runs() -> dict[str, SweepRun]:
    """Return the last run of each sweep by its name."""
    return {run.name: run for run in SweepRun.objects.all()}


def overdue(runs: Runs) -> list[str]:
    """Name the sweeps that have not run when they should have."""
    now = timezone.now()
    return [
        sweep.name
        for sweep in SWEEPS.values()
        if (run := runs.get(sweep.name)) is None
        or run.finished_at is None
        or now - run.finished_at > timedelta(minutes=sweep.minutes) + _GRACE
    ]


def broken(runs: Runs) -> int:
    """Count the promises that the last check found broken."""
    run = runs.get(VERIFY)
    return 0 if run is None else run.handled


def _answer(found: Checks) -> JsonResponse:
    well = all(check["ok"] for check in found.values())
    body = {"status": "ok" if well else "unavailable", "checks": found}
    return JsonResponse(body, status=HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)


def _base() -> Checks:
    return _asking.answer(late={"database": _AWAY})


def _ask_database() -> Checks:
    """Look at the database on a connection of its own: the pool may be in use to its last, and that is no outage."""
    try:
        with connecting.connect() as connection:
            return _look(connection)
    except psycopg.OperationalError:
        return {"database": _AWAY}


def _look(connection: psycopg.Connection[Any]) -> Checks:
    unenforced = connecting.list_unenforced(connection)
    row = connection.execute("SELECT pg_is_in_recovery(), to_regclass('django_migrations') IS NULL").fetchone()
    is_standby, is_empty = row or (False, True)
    applied: set[tuple[str, str]] = set()
    if not is_empty:
        applied = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
    reasons = ["it is a standby, which takes no writes"] if is_standby else unenforced
    missing = len(_needed() - applied)
    return {
        "database": {"ok": not reasons} | ({"reason": reasons[0]} if reasons else {}),
        "migrations": {"ok": not missing} | ({"reason": f"{missing} migrations are not applied"} if missing else {}),
    }


_asking = BoundedCall(_ask_database, seconds=READY_SECONDS)


@cache
def _needed() -> frozenset[tuple[str, str]]:
    """List the migrations of this code. The database may have later ones, while an installation is upgraded."""
    return frozenset(MigrationLoader(None).disk_migrations or {})


def _worker(runs: Runs) -> Check:
    last = max((run.started_at for run in runs.values()), default=None)
    if last is None:
        return {"ok": False, "reason": "no worker has run a sweep yet"}
    alive = timezone.now() - last < timedelta(minutes=1) + _GRACE
    return {"ok": alive, "last_seen_at": times.rfc3339(last)}


def _promises(runs: Runs) -> Check:
    run, number = runs.get(VERIFY), broken(runs)
    if run is None or run.finished_at is None:
        return {"ok": False, "reason": "they have not been checked yet"}
    checked: Check = {"ok": not number and not run.error}
    checked["checked_at"] = times.rfc3339(run.finished_at)
    return checked | ({"broken": number} if number else {})


def _providers() -> Check:
    """Say of how many accounts the background holds off, since the provider refuses calls or does not answer."""
    paused = ProviderThrottle.objects.filter(paused_until__gt=timezone.now()).count()
    return {"ok": not paused} | ({"accounts_paused": paused} if paused else {})


def _redis() -> Checks:
    """Say how counting and the queue are; without Redis both are in the database."""
    if not settings.REDIS_URL:
        return {"broker": {"ok": True, "kind": "database"}, "cache": {"ok": True, "kind": "database"}}
    well = redis_client.answers(settings.REDIS_URL)
    found: Check = {"ok": well, "kind": "redis"} | ({} if well else {"reason": "Redis does not answer"})
    return {"broker": found, "cache": dict(found)}
