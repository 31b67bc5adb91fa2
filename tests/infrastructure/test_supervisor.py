"""The supervisor: starts what does its work, starts again what dies, and leaves nothing behind."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tools.demo import places, ports
from tools.demo.processes import Child
from tools.demo.supervisor import StartError, Supervisor


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setattr(places, "LOGS", tmp_path)
    running = Supervisor()
    yield running
    running.stop()


def child(code: str, name: str = "child") -> Child:
    return Child(name, ["-c", code], dict(os.environ), grace_seconds=2)


def wait_for(path: Path, *, text: str = "") -> str:
    deadline = time.monotonic() + 20
    while not (path.exists() and path.read_text() and path.read_text() != text):
        assert time.monotonic() < deadline, path
        time.sleep(0.05)
    return path.read_text()


class TestSupervisor:
    def test_starts_again_what_has_died(self, supervisor: Supervisor, tmp_path: Path) -> None:
        mark = tmp_path / "pid"
        code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
        supervisor.start(child(code), until=mark.exists, seconds=20)
        first = wait_for(mark)
        os.kill(int(first), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while mark.read_text() in (first, ""):
            supervisor.look()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert int(mark.read_text()) != int(first)

    def test_tells_why_something_did_not_start(self, supervisor: Supervisor) -> None:
        with pytest.raises(StartError, match="no such spoon"):
            supervisor.start(child("raise SystemExit('no such spoon')"), until=lambda: False, seconds=20)

    def test_ends_what_does_not_listen_with_all_its_children(self, supervisor: Supervisor, tmp_path: Path) -> None:
        mark = tmp_path / "pid"
        deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
        code = (
            f"import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            f"p = subprocess.Popen([sys.executable, '-c', {deaf!r}]); "
            f"open({str(mark)!r}, 'w').write(str(p.pid)); time.sleep(60)"
        )
        supervisor.start(child(code), until=mark.exists, seconds=20)
        grandchild = int(wait_for(mark))
        supervisor.stop()
        assert not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE


class TestPorts:
    def test_a_taken_port_is_passed_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PORT", raising=False)
        with socket.socket() as taken:
            taken.bind((ports.HOST, 0))
            taken.listen()
            number = taken.getsockname()[1]
            assert ports.choose("PORT", number) > number
            monkeypatch.setenv("PORT", str(number))
            with pytest.raises(ports.PortBusyError, match=f"PORT={number} is in use"):
                ports.choose("PORT", 8000)
