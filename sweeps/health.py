"""``GET /health/ready``: whether this installation does its work, check by check."""

from datetime import timedelta
from http import HTTPStatus

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from sweeps.models import SweepRun
from sweeps.registry import SWEEPS

_GRACE = timedelta(minutes=3)
"""A scheduler looks every half minute and a queue may be busy: late is more than this over the interval."""

Check = dict[str, object]


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 if everything is well, else 503, with each check."""
    found = {"database": _database()}
    if found["database"]["ok"]:
        found |= {"migrations": _migrations()} | checks()
    well = all(check["ok"] for check in found.values())
    body = {"status": "ok" if well else "unavailable", "checks": found}
    return JsonResponse(body, status=HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)


def checks() -> dict[str, Check]:
    """Say whether a worker is there, and whether every sweep has run when it should have."""
    runs = {run.name: run for run in SweepRun.objects.all()}
    return {"worker": _worker(runs), "sweeps": _sweeps(runs)}


def _database() -> Check:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return {"ok": False, "reason": "the database does not answer"}
    return {"ok": True}


def _migrations() -> Check:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return {"ok": not missing} | ({"reason": f"{len(missing)} migrations are not applied"} if missing else {})


def _worker(runs: dict[str, SweepRun]) -> Check:
    last = max((run.started_at for run in runs.values()), default=None)
    if last is None:
        return {"ok": False, "reason": "no worker has run a sweep yet"}
    alive = timezone.now() - last < timedelta(minutes=1) + _GRACE
    return {"ok": alive, "last_seen_at": last.isoformat().replace("+00:00", "Z")}


def _sweeps(runs: dict[str, SweepRun]) -> Check:
    now = timezone.now()
    overdue = [
        sweep.name
        for sweep in SWEEPS.values()
        if (run := runs.get(sweep.name)) is None
        or run.finished_at is None
        or now - run.finished_at > timedelta(minutes=sweep.minutes) + _GRACE
    ]
    return {"ok": not overdue} | ({"overdue": overdue} if overdue else {})
