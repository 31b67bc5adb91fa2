"""Load: wrk for the product and its floor, pgbench for the limit. Each returns what it saw."""

import json
import math
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.postgres_programs import binaries
from tools.benchmarks.stack import DATA

_HERE = Path(__file__).resolve().parent
_THREADS = 2


class PgbenchError(Exception):
    """The database refused a script; the message says what it answered."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a load came to: successes a second, and how long an answer took in milliseconds, if there were answers."""

    rate: float
    p50: float = math.nan
    p95: float = math.nan
    p99: float = math.nan
    refused: int = 0
    """Answers that were no success."""
    broken: int = 0
    """Connections that failed, and answers that did not come."""


def wrk(script: str, address: str, *, clients: int, seconds: float, **given: str) -> Seen:
    """Load the web server with a script for some seconds, by so many clients that each wait for their answer."""
    threads = min(_THREADS, clients)
    environment = os.environ | given | {"LUA": str(_HERE / "wrk"), "THREADS": str(threads)}
    command = ["wrk", f"-t{threads}", f"-c{clients}", f"-d{seconds:.0f}s", "--timeout", "60s"]
    command += ["-s", str(_HERE / "wrk" / script), address]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    rate = (found.pop("requests") - found["refused"]) / found.pop("seconds")
    return Seen(rate=rate, **found)


def pgbench(script: str, *, clients: int, seconds: float, variables: Mapping[str, int] | None = None) -> Seen:
    """Run the statements of a script by themselves, at the same concurrency: the limit of what the database can do.

    Raises:
        PgbenchError: The database refused it.
    """
    command = [str(binaries() / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", str(_THREADS)]
    command += ["-T", f"{seconds:.0f}", "-f", str(_HERE / "sql" / script), "-l", "--log-prefix", str(DATA / "pgbench")]
    for name, value in (variables or {}).items():
        command += ["-D", f"{name}={value}"]
    command.append(os.environ["DATABASE_URL"])
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=DATA)
    if done.returncode:
        raise PgbenchError(f"{script}: {done.stderr.strip()}")
    rate = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert rate is not None, done.stdout
    logs = list(DATA.glob("pgbench.*"))
    took = sorted(int(line.split()[2]) / 1000 for log in logs for line in log.read_text().splitlines())
    for log in logs:
        log.unlink()
    p50, p95, p99 = (took[min(int(len(took) * part), len(took) - 1)] for part in (0.5, 0.95, 0.99))
    return Seen(rate=float(rate[1]), p50=p50, p95=p95, p99=p99)
