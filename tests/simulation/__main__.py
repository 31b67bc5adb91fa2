"""``python -m tests.simulation --seeds 1000``: many seeds on all cores, and the story of the first that fails."""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import Progress, TextColumn

from tests.simulation import working
from tests.support import database, environment

console = Console(stderr=True)


def main() -> int:
    """Run the seeds; returns 1 if one of them breaks a promise."""
    asked = _asked()
    environment.prepare()
    os.environ["LOG_LEVEL"] = "CRITICAL"
    from config import embedded_postgres  # noqa: PLC0415  # after the environment is prepared

    database.sweep()
    directory = database.new_directory()
    embedded_postgres.ensure_running(directory / "postgres", durable=False)
    os.environ["DATABASE_URL"] = embedded_postgres.url(directory / "postgres")
    try:
        seeds = list(range(asked.first, asked.first + asked.seeds))
        jobs = min(asked.jobs, len(seeds))
        with multiprocessing.get_context("spawn").Pool(jobs, working.begin) as pool:
            run = working.tell if len(seeds) == 1 else working.run
            return _report(pool.imap_unordered(run, seeds), asked)
    finally:
        database.remove(directory)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--until-first", action="store_true", help="stop at the first that fails, without its story")
    parser.add_argument("--keep-going", action="store_true", help="do not tell a story, and go on to the end")
    return parser.parse_args()


def _report(results: Iterator[Any], asked: argparse.Namespace) -> int:
    began, failed = time.monotonic(), []
    met, boundaries, deaths = Counter[str](), Counter[str](), Counter[str]()
    with Progress(*Progress.get_default_columns(), TextColumn("{task.fields[told]}"), console=console) as bar:
        task = bar.add_task("Seeds", total=asked.seeds, told="")
        for number, run in enumerate(results, start=1):
            met, boundaries, deaths = met + run.met, boundaries + run.boundaries, deaths + run.deaths
            if run.breaches:
                failed.append(run)
                console.print(
                    f"seed {run.seed}: {run.breaches[0].splitlines()[0][:300]}", markup=False, highlight=False
                )
            elif asked.seeds == 1:
                print(*run.story, sep="\n")  # noqa: T201
            bar.update(task, completed=number, told=f"{len(failed)} failed")
            if failed and asked.until_first:
                return 1
    seconds = time.monotonic() - began
    never = sorted(set(boundaries) - set(deaths))
    print(f"{asked.seeds} seeds in {seconds:.0f} s, {len(failed)} failed. Faults: {dict(met.most_common())}")  # noqa: T201
    print(f"{len(boundaries)} boundaries, a process has died at {len(deaths)} of them.", *never, sep="\n  never at ")  # noqa: T201
    if failed and not asked.keep_going:
        _tell(min(failed, key=lambda run: run.seed))
    return 1 if failed else 0


def _tell(failed: Any) -> None:
    """Tell the story of a run that failed, shortened in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1, working.begin) as pool:
        short = pool.apply(working.shrink, (failed,))
    print(f"\nThe story of seed {short.seed}, with {short.guests} guests and {short.storm}:")  # noqa: T201
    print(*short.story, *short.breaches, sep="\n")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
