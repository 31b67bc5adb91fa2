"""Runs one seed, and makes the story of one that fails as short as it can be told."""

import traceback
from datetime import timedelta

from sweeps import registry as sweeps
from tests.simulation import judging, populating, shop, telling, world
from tests.simulation.dice import Run, Storm
from tests.simulation.world import World

GUESTS = (4, 5, 6, 7, 8)
WITHIN = timedelta(hours=33)
"""Everything has ended, or a person was told, so long after a storm."""
_STEPS = (2, 13, 25, 50, 60, 120, 240, 480)
_BOOKKEEPING = ("settle", "purge_idempotency_keys", "forget_request_counts", "carry_on_bulk_runs", "verify")


def run(*, seed: int, guests: int | None = None, storm: Storm | None = None, is_told: bool = False) -> Run:
    """Run a world of a seed, let it settle, and judge it. Whatever is raised is a breach too.

    Its story is told if it fails, or if that is asked for.
    """
    storm, guests = storm or Storm(), guests or GUESTS[seed % len(GUESTS)]
    with world.running(seed=seed, storm=storm) as made:
        try:
            populating.populate(made, shop.open_all(), guests=guests)
            made.run_until(made.clock.at + world.STORM_FOR)
            settle(made)
            breaches = judging.breaches(made)
        except Exception as error:  # noqa: BLE001  # what nobody expects is what is looked for
            breaches = [f"{type(error).__name__}: {error}\n{traceback.format_exc()}"]
        dice, story = made.dice, telling.story(made) if breaches or is_told else []
        return Run(seed, guests, storm, breaches, story, dice.met, dice.boundaries, dice.deaths)


def settle(made: World) -> None:
    """Let the sweeps run until there is nothing to do any more, and once more when everything must have ended."""
    made.calm_down()
    end = made.clock.at + WITHIN
    for minutes in _STEPS:
        made.run_until(made.clock.at + timedelta(minutes=minutes))
        if not _sweep(made) and made.is_quiet and not any(judging.unended()):
            break
    made.run_until(end)
    _sweep(made)
    made.run_until(end + timedelta(minutes=1))


def _sweep(made: World) -> int:
    return sum(made.sweep(name) for name in sweeps.SWEEPS if name not in _BOOKKEEPING)


def shrink(failed: Run) -> Run:
    """Leave out kinds of faults and guests, one after the other, for as long as the run still fails."""
    for kind in Storm.kinds():
        shorter = run(seed=failed.seed, guests=failed.guests, storm=failed.storm.without(kind))
        failed = shorter if shorter.breaches else failed
    for guests in range(1, failed.guests):
        shorter = run(seed=failed.seed, guests=guests, storm=failed.storm)
        if shorter.breaches:
            return shorter
    return failed
