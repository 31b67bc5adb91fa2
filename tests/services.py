"""Programs beside ours that tests start on ports of this machine: Redis and PgBouncer, Debian's packages."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

REDIS = shutil.which("redis-server")
START_SECONDS = 20


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
