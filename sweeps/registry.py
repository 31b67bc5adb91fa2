"""The sweeps: what each does, and how often.

Each is safe when two run at once, and is also a management command.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from adminkit import bulk
from booking import execution, expiring, lapsing
from common import logs, loops, rotation, tasks
from idempotency import keys
from notifications import sending, writing
from reconciliation import accounts, dangling_holds, missed_events, promises, settlements, status_checks
from sweeps.models import SweepRun
from tenants import rate_limits, sign_in_limits
from webhooks import inbox, notices

logger = logging.getLogger("holdfast.sweeps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Something that is to be done again and again."""

    name: str
    run: Callable[[], int]
    """Does it, and returns how many rows it dealt with."""
    minutes: int


def _expire_reservations() -> int:
    """Expire first, then release at the provider at once what that has freed."""
    expired = expiring.expire_due() + lapsing.lapse_due()
    if expired:
        execution.execute_due()
    return expired


def _reconcile() -> int:
    """Look at what is due, and send at once what that has made us want."""
    looked = len(status_checks.reconcile_due().lines)
    if looked:
        execution.execute_due()
    return looked


def _recover_events() -> int:
    return missed_events.recover_unread(accounts=accounts.list_accounts()).taken


def _release_holds() -> int:
    return len(dangling_holds.release_unread().released)


def _send_mails() -> int:
    """Write first, then send; what goes wrong with the writing holds up nothing that is written."""
    _in_turn("send_mails", writing.write_due)
    return sending.send_due()


def _forget_counts() -> int:
    return _in_turn("forget_request_counts", rate_limits.forget_old, sign_in_limits.forget_old)


def _settle() -> int:
    return settlements.settle_due(accounts=accounts.list_accounts())


def _verify() -> int:
    """Check every promise; the number that is noted is that of the broken ones."""

    def is_broken(promise: promises.Promise) -> bool:
        return promises.check(promise).breaches > 0

    return loops.each(promises.PROMISES, is_broken, name=VERIFY, label=lambda promise: promise.number).done


def _in_turn(name: str, *steps: Callable[[], int]) -> int:
    return loops.each(steps, lambda step: step(), name=f"steps of {name}", label=lambda step: step.__name__).done


VERIFY = "verify"
"""The sweep whose number is that of the broken promises."""

SWEEPS = {
    sweep.name: sweep
    for sweep in (
        Sweep(name="expire_reservations", run=_expire_reservations, minutes=1),
        Sweep(name="send_commands", run=execution.execute_due, minutes=1),
        Sweep(name="look_up_notices", run=notices.look_up_due, minutes=1),
        Sweep(name="retry_events", run=inbox.retry_due, minutes=1),
        Sweep(name="reconcile", run=_reconcile, minutes=1),
        Sweep(name="recover_events", run=_recover_events, minutes=5),
        Sweep(name="release_holds", run=_release_holds, minutes=30),
        Sweep(name="send_mails", run=_send_mails, minutes=1),
        Sweep(name="settle", run=_settle, minutes=60),
        Sweep(name="carry_on_bulk_runs", run=bulk.carry_on_due, minutes=1),
        Sweep(name="purge_idempotency_keys", run=keys.purge, minutes=60),
        Sweep(name="forget_request_counts", run=_forget_counts, minutes=60),
        Sweep(name=VERIFY, run=_verify, minutes=24 * 60),
    )
}


class SweepFailedError(tasks.TaskFailedError):
    """A sweep ended early.

    It names the class of the error only, since the queue keeps and shows its words.
    """


@tasks.queued
def run(name: str) -> int:
    """Run a sweep and record its result. Django-q2 calls this by name.

    What is noted is read by every operator's staff, so an error is told by its class, and rows by their number.

    Raises:
        SweepFailedError: It ended early.
        TaskFailedError: It could not begin, or not be noted.
    """
    sweep = SWEEPS[name]
    rotation.refresh()
    SweepRun.objects.update_or_create(name=name, defaults={"started_at": timezone.now()})
    try:
        with loops.watch() as seen:
            handled = sweep.run()
    except Exception as error:  # noqa: BLE001  # the page of the sweeps shows any failure
        told = f"{type(error).__name__}: it ended early; the log says where."
        logs.failure(logger, "A sweep ended early.", error, sweep=name)
        SweepRun.objects.filter(name=name).update(error=told)
        raise SweepFailedError(f"{name}: {told}") from None
    SweepRun.objects.filter(name=name).update(finished_at=timezone.now(), handled=handled, error=seen.summary)
    if handled:
        logger.info("A sweep is done.", extra={"sweep": name, "handled": handled})
    return handled
