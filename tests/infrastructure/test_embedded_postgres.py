"""The embedded PostgreSQL: one server for a directory, for all who ask for it, also after it was killed."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from config import embedded_postgres
from tests.support.environment import ROOT

START = "import sys, pathlib, config.embedded_postgres as e; e.ensure_running(pathlib.Path(sys.argv[1]))"


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short path with a space, gone in the end with the server in it."""
    root = Path(tempfile.mkdtemp(prefix="holdfast pg "))
    root.chmod(0o755)
    yield root / "postgres"
    embedded_postgres.stop(root / "postgres")
    shutil.rmtree(root, ignore_errors=True)


def ask(url: str, question: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return str(row[0])


def server_of(directory: Path) -> psutil.Process:
    return psutil.Process(int((directory / "postmaster.pid").read_text().splitlines()[0]))


class TestServer:
    def test_lives_through_being_asked_for_again_killed_and_stopped(self, directory: Path) -> None:
        asking = [subprocess.Popen([sys.executable, "-c", START, str(directory)], cwd=ROOT) for _ in range(3)]
        assert [process.wait(timeout=60) for process in asking] == [0, 0, 0]
        url = embedded_postgres.url(directory)
        assert ask(url, "SHOW server_version").startswith("18")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        first = server_of(directory)
        for process in [first, *first.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # its children end by themselves
                process.kill()
        first.wait(timeout=10)
        assert embedded_postgres.ensure_running(directory) == url
        assert ask(url, "SELECT answer FROM kept") == "42"
        second = server_of(directory)
        assert second.pid != first.pid
        embedded_postgres.stop(directory)
        assert not second.is_running() or second.status() == psutil.STATUS_ZOMBIE

    def test_listens_on_no_port(self, directory: Path) -> None:
        embedded_postgres.ensure_running(directory, durable=False)
        listening = [each for each in server_of(directory).net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        assert listening == []
