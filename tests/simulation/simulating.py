"""Runs one seed, and makes the story of one that fails as short as it can be told."""

import traceback
from datetime import timedelta

from tests.simulation import judging, people, world
from tests.simulation.dice import Run, Storm

GUESTS = 8


def run(*, seed: int, guests: int = GUESTS, storm: Storm | None = None) -> Run:
    """Run a world of a seed, let it settle, and judge it. Whatever is raised is a breach too."""
    storm = storm or Storm()
    with world.running(seed=seed, storm=storm) as made:
        try:
            shop = world.Shop(made)
            list(people.populate(made, shop, guests=guests))
            made.run_until(made.clock.at + world.STORM_FOR)
            made.tell("the storm is over")
            made.settle()
            made.run_until(made.clock.at + timedelta(minutes=1))
            breaches = judging.breaches(made)
        except Exception as error:  # noqa: BLE001  # what nobody expects is what is looked for
            breaches = [f"{type(error).__name__}: {error}\n{traceback.format_exc()}"]
        dice = made.dice
        return Run(seed, guests, storm, breaches, made.story, dice.met, dice.boundaries, dice.deaths)


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
