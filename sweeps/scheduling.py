"""Keeps django-q2's schedules equal to the registry.

However many workers start at once.
"""

from datetime import timedelta

from django.db import connection
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from common import database
from sweeps.models import SweepRun
from sweeps.registry import SWEEPS, Sweep

_FUNCTION = "sweeps.registry.run"
_OFTEN_MINUTES = 60
_LOCK = 0x686F6C64
"""Our advisory lock; any number that nobody else uses."""


def schedule_all() -> None:
    """Make the schedules of the sweeps and remove those of former sweeps.

    Other schedules are left alone.
    """
    with database.use_case():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        for sweep in SWEEPS.values():
            wanted = {"func": _FUNCTION, "args": repr((sweep.name,)), "minutes": sweep.minutes, "repeats": -1}
            row, made = Schedule.objects.get_or_create(
                name=_name(sweep.name),
                defaults={**wanted, "schedule_type": Schedule.MINUTES, "next_run": timezone.now()},
            )
            if not made:
                Schedule.objects.filter(pk=row.pk).update(**wanted)
        Schedule.objects.filter(name__startswith=_name("")).exclude(name__in=map(_name, SWEEPS)).delete()


def run_all_soon() -> None:
    """Queue every due sweep.

    A worker that starts finds waiting work; its scheduler comes only later.
    """
    for sweep in SWEEPS.values():
        if not _is_done_for_today(sweep):
            async_task(_FUNCTION, sweep.name, group=_name(sweep.name))


def _is_done_for_today(sweep: Sweep) -> bool:
    """Say whether a sweep that reads whole tables has run since it was due: not each start of a worker needs one."""
    if sweep.minutes <= _OFTEN_MINUTES:
        return False
    since = timezone.now() - timedelta(minutes=sweep.minutes)
    return SweepRun.objects.filter(name=sweep.name, finished_at__gt=since).exists()


def _name(sweep: str) -> str:
    return f"sweep:{sweep}"
