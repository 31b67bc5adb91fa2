"""Programs beside ours that tests start on ports of this machine: Redis and PgBouncer, Debian's packages."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.db import connection

REDIS = shutil.which("redis-server")
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
START_SECONDS = 20
ADMIN = "admin"
"""Who may use PgBouncer's console."""


class Program:
    """A program on a port, that a test stops and starts again."""

    def __init__(self, command: list[str], port: int, *, cwd: Path, **options: Any) -> None:
        self.port = port
        self._command = command
        self._options = {"cwd": cwd, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(self._command, **self._options)
        deadline = time.monotonic() + START_SECONDS
        while not _listens(self.port):
            assert self._process.poll() is None, f"{self._command[0]} ended"
            assert time.monotonic() < deadline, f"{self._command[0]} does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        """Kill it, as a machine that fails would."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def hang(self) -> None:
        """Have it take connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)


@contextmanager
def redis(directory: Path) -> Iterator[Program]:
    """Run a Redis of this test's own."""
    assert REDIS is not None
    port = free_port()
    nothing_kept = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
    program = Program([REDIS, "--port", str(port), *nothing_kept], port, cwd=directory)
    program.start()
    try:
        yield program
    finally:
        program.stop()


@contextmanager
def pgbouncer(
    server: dict[str, Any] | None = None, *, ignored: str = "options", pool_size: int = 4
) -> Iterator[Program]:
    """Run a PgBouncer in transaction mode before a server (this test's, unless one is given), for any database of it.

    It does not look after prepared statements, as none before 1.21 does. ``ignored`` are the start-up parameters that
    it drops rather than refuses.
    """
    assert PGBOUNCER is not None
    server = server or connection.settings_dict
    port = free_port()
    directory = Path(tempfile.mkdtemp(prefix="holdfast-pgbouncer-"))
    directory.chmod(0o755)
    lines = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "admin_users": ADMIN,
        "pool_mode": "transaction",
        "default_pool_size": pool_size,
        "max_client_conn": 400,
        "query_wait_timeout": 3,
        "server_login_retry": 1,
    }
    if ignored:
        lines["ignore_startup_parameters"] = ignored
    if _version(PGBOUNCER) >= (1, 21):
        lines["max_prepared_statements"] = 0
    database = f"* = host={server['HOST']} port={server['PORT'] or 5432} user={server['USER']}"
    told = "\n".join(f"{name} = {value}" for name, value in lines.items())
    (directory / "pgbouncer.ini").write_text(f"[databases]\n{database}\n[pgbouncer]\n{told}\n")
    owner = Path(server["HOST"]).stat()  # who alone may use the server's socket; and PgBouncer does not run as root
    account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    program = Program([PGBOUNCER, "pgbouncer.ini"], port, cwd=directory, **account)
    program.start()
    try:
        yield program
    finally:
        program.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _version(program: str) -> tuple[int, ...]:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in told.split()[1].split(".")[:2])


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
