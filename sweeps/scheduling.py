"""Keeps django-q2's schedules equal to the registry, however many workers start at once."""

from django.db import connection
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from common import database
from sweeps.registry import SWEEPS

_FUNCTION = "sweeps.registry.run"
_LOCK = 0x686F6C64
"""Our advisory lock; any number that nobody else uses."""


def schedule_all() -> None:
    """Make the schedules of the sweeps and remove those of sweeps that are no more; other schedules are left alone."""
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
    """Queue every sweep once: a worker that starts finds waiting work, and its scheduler looks only later."""
    for sweep in SWEEPS.values():
        async_task(_FUNCTION, sweep.name, group=_name(sweep.name))


def _name(sweep: str) -> str:
    return f"sweep:{sweep}"
