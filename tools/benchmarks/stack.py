"""The real stack: PostgreSQL that flushes what it commits, and gunicorn, on this machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from config import embedded_postgres
from tools.demo import ports

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / ".data" / "benchmarks"
SECRET = "whsec_benchmark"  # noqa: S105  # of nobody
PROCESSES = 4
"""Two for each core of the machine that this was made on; see docs/performance.md for more and fewer."""
_START_SECONDS = 60


def prepare(*, threads: int, pool: int, provider_seconds: float) -> None:
    """Set the environment of everything that runs: the product's own settings, but for limits that protect people."""
    embedded_postgres.ensure_running(DATA / "postgres")
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "tools.benchmarks.settings",
            "ENV_FILE": "",
            "DEBUG": "false",
            "SECRET_KEY": "a-key-for-benchmarks-only-0123456789-abcdefghijklmnopqrstuvwxyz",
            "SECURE_SSL_REDIRECT": "false",
            "LOG_LEVEL": "ERROR",
            "DATABASE_URL": embedded_postgres.url(DATA / "postgres"),
            "DATABASE_POOL_SIZE": str(pool),
            "WEB_PROCESSES": str(PROCESSES),
            "WEB_THREADS": str(threads),
            "API_RATE": "1000000000/min",
            "PROVIDER_CALLS_PER_MINUTE": "1000000000",
            "MAX_LIVE_HOLDS_PER_CLIENT": "1000000000",
            "MAX_LIVE_PLACES_PER_CLIENT": "1000000000",
            "STRIPE_API_KEY": "sk_test_benchmark",
            "STRIPE_WEBHOOK_SECRETS": SECRET,
            "BENCHMARK_PROVIDER_SECONDS": str(provider_seconds),
        }
    )


@contextmanager
def serving() -> Iterator[str]:
    """Run the web server on the database that is in use; returns its address."""
    port = ports.choose("BENCHMARK_PORT", 18_400)
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "--log-level", "warning"]
    environment = os.environ | {"PORT": str(port)}
    running = subprocess.Popen([*command, "config.wsgi"], cwd=ROOT, env=environment, start_new_session=True)
    try:
        _wait(running, address)
        yield address
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGTERM)
        running.wait()


def stop_database() -> None:
    """Stop the database; what is in it stays for the next run."""
    embedded_postgres.stop(DATA / "postgres")


def _wait(running: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        if running.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("The web server did not start.")
        with suppress(requests.ConnectionError):
            if requests.get(f"{address}/benchmark/floor", timeout=5).ok:
                return
        time.sleep(0.1)
