"""One stack per checkout: a later one takes over and leaves nothing of the former."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import fasteners
import psutil

from tools.demo import places, processes
from tools.demo.output import say

STOP_SECONDS = 60


class TakeOverError(Exception):
    """The stack that runs can't be stopped."""


@contextmanager
def only_one() -> Iterator[None]:
    """Be the only supervisor of this checkout: stop the one that runs, and all that one left behind.

    Raises:
        TakeOverError: It did not stop.
    """
    places.DATA.mkdir(exist_ok=True)
    lock = fasteners.InterProcessLock(places.LOCK)
    if not lock.acquire(blocking=False):
        _stop_other()
        if not lock.acquire(timeout=STOP_SECONDS):
            raise TakeOverError(f"Another process holds {places.LOCK} and does not give it back.")
    try:
        if left := processes.list_left_over():
            say(f"Ending {len(left)} processes that an earlier stack left behind.")
            processes.end_now(left)
        me = psutil.Process()
        places.write_json(places.SUPERVISOR, {"pid": me.pid, "created": me.create_time()})
        yield
    finally:
        processes.end_now(processes.list_left_over())
        places.SUPERVISOR.unlink(missing_ok=True)
        lock.release()


def _stop_other() -> None:
    other = _other()
    if other is None:
        return
    say(f"This checkout's stack runs already (pid {other.pid}): stopping it first.")
    with suppress(psutil.NoSuchProcess):
        other.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs([other], timeout=STOP_SECONDS)
    processes.end_now(alive)


def _other() -> psutil.Process | None:
    recorded = places.read_json(places.SUPERVISOR)
    try:
        process = psutil.Process(int(recorded["pid"]))
        is_same = abs(process.create_time() - float(recorded["created"])) < 1
    except (KeyError, ValueError, psutil.Error):
        return None
    # Number and time may have been copied with the checkout.
    return process if is_same and process.pid != os.getpid() and processes.is_at_work_here(process) else None
