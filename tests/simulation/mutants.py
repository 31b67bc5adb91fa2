"""``make mutants``: takes one safety away after the other, and tells what notices: the suite, the storm, or both.

A mutant is a copy of the repository with one text of one function replaced. The suite is asked by the tests that are
there for that safety; the storm by the first seed that breaks a promise.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.simulation.mutation import Mutant
from tests.simulation.sabotages import MUTANTS

ROOT = Path(__file__).resolve().parents[2]
NOTHING = "—"
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".data", "__pycache__", ".*_cache", ".hypothesis")
_SECONDS = 900


def main() -> int:
    """Try every mutant; returns 1 if one is caught by neither."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants")
    parser.add_argument("--seeds", type=int, default=150, help="how many at most: the first that fails is enough")
    parser.add_argument("--only", default="", help="mutants whose names have this in them")
    asked = parser.parse_args()
    table = Table("Mutant", "Suite", "Storm", title="What notices that a safety is gone")
    console, missed = Console(width=130), 0
    for mutant in MUTANTS:
        if asked.only not in mutant.name:
            continue
        with _made(mutant) as copy:
            suite, storm = _ask_suite(mutant, copy), _ask_storm(copy, seeds=asked.seeds)
        missed += suite == storm == NOTHING
        table.add_row(mutant.name, suite, storm)
        Console(stderr=True).print(f"{mutant.name}: {suite} / {storm}")
    console.print(table)
    return 1 if missed else 0


@contextmanager
def _made(mutant: Mutant) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="holdfast-mutant-") as directory:
        copy = Path(directory) / "holdfast"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        path = copy / mutant.file
        path.write_text(mutant.mutate(path.read_text()))
        yield copy


def _ask_suite(mutant: Mutant, copy: Path) -> str:
    done = _run(copy, "-m", "pytest", "-q", "-x", *mutant.suite.split())
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED tests", "ERROR tests"))]
    if not failed:
        assert done.returncode == 0, done.stdout + done.stderr
        return NOTHING
    path, _, test = failed[0].removeprefix("FAILED ").removeprefix("ERROR ").partition(" - ")[0].partition("::")
    return f"{Path(path).stem}: {test.split('::')[-1].partition('[')[0].removeprefix('test_')}"


def _ask_storm(copy: Path, *, seeds: int) -> str:
    done = _run(copy, "-m", "tests.simulation", "--seeds", str(seeds), "--until-first")
    failed = [line for line in done.stderr.splitlines() if line.startswith("seed ")]
    if not failed:
        assert done.returncode == 0, done.stdout + done.stderr
        return NOTHING
    seed, _, breach = failed[0].partition(": ")
    return f"{seed}: {breach.partition(':')[0]}"


def _run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, timeout=_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
