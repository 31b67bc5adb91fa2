"""Names processes so that others can tell whether they still run."""

import os
import socket
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_PARTS = 5


def own() -> str:
    """Name this process: host, boot, pid namespace, pid and start time.

    Empty where the system does not tell.
    """
    return _name(os.getpid())


def is_gone(name: str) -> bool:
    """Tell whether a process of this machine has ended.

    What cannot be known is taken to live.
    """
    parts, mine = name.split(" "), own().split(" ")
    if len(parts) != _PARTS or len(mine) != _PARTS or parts[0] != mine[0]:
        return False
    if parts[1] != mine[1]:
        return True  # the machine has started anew since
    return parts[2] == mine[2] and _started(int(parts[3])) != parts[4]


def is_gone_before(name: str) -> bool:
    """Tell a starting process whether another has ended.

    A container of the same name, in an earlier pid namespace, has ended too.
    """
    parts, mine = name.split(" "), own().split(" ")
    if len(parts) != _PARTS or len(mine) != _PARTS or parts[0] != mine[0]:
        return False
    return parts[1:3] != mine[1:3] or is_gone(name)


@cache
def _name(pid: int) -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink(_PROC / "self/ns/pid")
    except OSError:
        return ""
    return " ".join((socket.gethostname().replace(" ", "_"), boot, namespace, str(pid), _started(pid)))


def _started(pid: int) -> str:
    """Return when a process started, in ticks since the boot; empty if there is none. See proc_pid_stat(5)."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]
