"""Child processes that leave nothing behind: each in a session of its own, ended with all that it started."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from tools.demo import places

MARK = "HOLDFAST_STACK"
PR_SET_PDEATHSIG = 1
KILL_SECONDS = 5


class Child:
    """A program of the stack, started and started again."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], *, grace_seconds: int) -> None:
        self.name = name
        self.log = places.LOGS / f"{name}.log"
        self._command = [sys.executable, *arguments]
        # The mark tells our processes from all others, also when the supervisor is gone. SPT_NOENV, because a process
        # that sets its title (gunicorn, django-q2) would otherwise write it over the mark.
        self._environment = {**environment, MARK: name, "SPT_NOENV": "1", "PYTHONUNBUFFERED": "1"}
        self._grace_seconds = grace_seconds
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its output is added to its log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._command,
                cwd=places.ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent(os.getpid()),  # safe: the supervisor has no threads
            )

    def is_alive(self) -> bool:
        """Tell whether its main process runs."""
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        """Return how its main process ended."""
        return None if self._process is None else self._process.returncode

    def family(self) -> int:
        """Return how many processes it consists of."""
        return 0 if self._process is None else len(_session(self._process.pid))

    def ask_to_stop(self) -> None:
        """Ask it to finish what it is doing and end."""
        if self._process is not None and self.is_alive():
            self._process.terminate()

    def end(self) -> None:
        """Wait until it has ended, and end what is left of it after its grace."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=self._grace_seconds)
        end_now(_session(self._process.pid))
        self._process.wait()
        self._process = None

    def last_lines(self, count: int = 15) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def is_at_work_here(process: psutil.Process) -> bool:
    """Tell whether a process works in this very checkout: a copy, or another one's same number, does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).samefile(places.ROOT)
    except (psutil.Error, OSError):
        return False


def list_left_over() -> list[psutil.Process]:
    """Return the running processes of a stack of this checkout."""
    return [process for process in psutil.process_iter() if _is_marked(process) and is_at_work_here(process)]


def end_now(processes: list[psutil.Process]) -> None:
    """Kill processes and wait until they are gone."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=KILL_SECONDS)


def _session(leader: int) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _session_of(process.pid) == leader]


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _is_marked(process: psutil.Process) -> bool:
    try:
        return MARK in process.environ()
    except (psutil.Error, OSError):
        return False


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """Ask Linux to stop the child when its parent dies in whatever way. Elsewhere the next start cleans up."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)

    def ask() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask
