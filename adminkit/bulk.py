"""Actions on many rows, queued and run by one worker.

Another worker resumes a run whose worker died.
"""

from datetime import timedelta
from inspect import unwrap
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.module_loading import import_string
from django_q.tasks import async_task

from adminkit.models import BulkRun
from common import leases, loops

_CARRIER = "adminkit.bulk_execution.carry_on"
_LEASE = timedelta(minutes=2)
"""Longer than anything that an action does to one row, its calls to a provider included."""
_INTERRUPTED = "it was interrupted, and may be done or not: look at it."


def queue(run: BulkRun) -> None:
    """Have a worker take it up."""
    async_task(_CARRIER, run_id=run.pk, group="bulk", save=False)


def carry_on_due() -> int:
    """Resume unfinished runs that no worker holds; returns how many."""
    waiting = _free().order_by("id").values_list("pk", flat=True)
    carry_on = unwrap(import_string(_CARRIER))  # what the queue must not show, the loop counts by its class
    return loops.each(waiting, lambda run_id: carry_on(run_id=run_id), name="carry_on_bulk_runs").done


def claim(run_id: UUID) -> BulkRun | None:
    """Claim a run; None if it is claimed or finished.

    A row that was begun and neither done nor refused is one at which a process died: it is told of.
    """
    if not _free().filter(pk=run_id).update(leased_until=Now() + _LEASE):
        return None
    run = BulkRun.objects.select_related("person").get(pk=run_id)
    if run.begun > run.done + len(run.refusals):
        note(run, refused=f"{run.rows[run.begun - 1]}: {_INTERRUPTED}")
    return run


def begin(run: BulkRun) -> str | None:
    """Count the next row as begun, and return its key.

    None if no row is left, or another worker has the run by now.
    """
    if run.begun >= len(run.rows):
        _own(run).update(finished_at=Now(), leased_until=None)
        return None
    if not _own(run).update(begun=run.begun + 1, leased_until=Now() + _LEASE):
        return None  # it took longer than its lease, and the run is in another's hands
    run.refresh_from_db(fields=["begun", "leased_until"])
    return run.rows[run.begun - 1]


def note(run: BulkRun, *, refused: str | None) -> None:
    """Write what came of the row that was begun."""
    if refused is None:
        run.done += 1
    else:
        run.refusals.append(refused)
    _own(run).update(done=run.done, refusals=run.refusals)


def _own(run: BulkRun) -> QuerySet[BulkRun]:
    """Select a run while it is in the hands of who claimed it: another's claim has another lease."""
    return BulkRun.objects.filter(pk=run.pk, leased_until=run.leased_until)


def _free() -> QuerySet[BulkRun]:
    return BulkRun.objects.filter(leases.is_over(), finished_at=None)
