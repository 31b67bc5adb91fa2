"""Real processes on the tests' database: the web server, and the worker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO
from urllib.parse import quote

import requests
from django.db import connection

from tests.support.environment import ROOT
from tools.demo import ports

START_SECONDS = 60


def database_url() -> str:
    """Write the URL of the database that this test uses."""
    given = connection.settings_dict
    port = f":{given['PORT']}" if given["PORT"] else ""
    return f"postgresql://{given['USER']}@{quote(given['HOST'], safe='')}{port}/{given['NAME']}"


def wait(what: str, condition: Callable[[], bool], *, seconds: float = START_SECONDS) -> None:
    """Wait for something, not for ever."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)


@contextmanager
def process(*arguments: str, log: IO[bytes], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python with arguments, in a group of its own that is killed in the end."""
    running = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment_of(**environment),
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        kill(running)


def environment_of(**changes: str) -> dict[str, str]:
    """Return the environment of a process on this test's database."""
    return os.environ | {"DATABASE_URL": database_url(), **changes}


def kill(running: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it started, at once."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


@contextmanager
def web(log: IO[bytes], settings: Mapping[str, str]) -> Iterator[str]:
    """Run the web server and return its address."""
    port = ports.choose("TEST_PORT", 18_000 + os.getpid() % 20_000)
    gunicorn = ("-m", "gunicorn", "--config", "python:config.gunicorn", "config.wsgi")
    address = f"http://127.0.0.1:{port}"
    with process(*gunicorn, log=log, PORT=str(port), **settings) as running:

        def answers() -> bool:
            assert running.poll() is None, "the web server ended"
            try:
                return requests.get(f"{address}/health", timeout=2).ok
            except requests.RequestException:  # not there yet, or slow to come up
                return False

        wait("the web server answers", answers)
        yield address
