"""Some seeds of the storm: none breaks a promise."""

import itertools
import logging
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from catalogue import inventory
from tests.simulation import clock, simulating
from tests.support.environment import ROOT

SECONDS = 40
"""How long the suite storms on two cores; ``make simulate`` runs as many seeds as one likes."""
_CORES = 2
_PARTS = 4
"""Parts, each of its own seeds, that the processes of the suite share among them."""
_EACH = SECONDS * _CORES / _PARTS
_APART = 1_000_000
"""Seeds between the beginnings of two commits: each commit is tried with seeds of its own."""


def first_seed() -> int:
    """Return where this commit's seeds begin; 0 where there is no repository, as in a copy."""
    git = shutil.which("git")
    if git is None:
        return 0
    told = subprocess.run([git, "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(told.stdout[:6], 16) * _APART if told.returncode == 0 else 0


pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.fixture
def storm_clock(transactional_db: None) -> Iterator[None]:
    logging.disable(logging.CRITICAL)  # thousands of tracebacks of what is done to the product on purpose
    with clock.installed():
        yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("storm_clock")
class TestStorm:
    @pytest.mark.parametrize("part", range(_PARTS))
    def test_breaks_no_promise(self, part: int) -> None:
        met: Counter[str] = Counter()
        until = time.perf_counter() + _EACH
        for seed in itertools.count(first_seed() + part, _PARTS):
            run = simulating.run(seed=seed)
            assert not run.breaches, f"make simulate SEED={seed}: {run.breaches}\n" + "\n".join(run.story)
            met += run.met
            if time.perf_counter() > until:
                break
        assert met, "nothing went wrong"

    def test_a_seed_tells_the_same_story_again(self) -> None:
        first, second = simulating.run(seed=3, is_told=True), simulating.run(seed=3, is_told=True)
        assert first.met == second.met
        assert plain(first.story) == plain(second.story)

    def test_a_broken_promise_is_noticed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Places that are given back twice; the other sabotages are those of ``make mutants``."""
        release = inventory.release
        monkeypatch.setattr(inventory, "release", lambda rows: release([*(rows := list(rows)), *rows]))
        runs = (simulating.run(seed=seed) for seed in range(20))
        assert any(run.breaches for run in runs)


def plain(story: list[str]) -> list[str]:
    """Take the references out, which are drawn anew each time."""
    return [re.sub(r"\b[2-9A-HJ-NP-Z]{6}\b", "…", line) for line in story]
