"""Deliberate sabotage: each takes one safety away, and the simulation has to notice. ``make mutants`` tells which does.

A mutant is a copy of the repository with one text in one file replaced.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 150
"""At most: the first that fails is enough."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A safety that is taken away."""

    name: str
    file: str
    text: str
    sabotage: str


MUTANTS = (
    Mutant("places are given back twice", "booking/places.py",
           'update(reserved=F("reserved") - amounts)', 'update(reserved=F("reserved") - amounts - amounts)'),
    Mutant("a time-out is taken for a refusal", "payments/providers/stripe.py",
           'raise OutcomeUnknownError(f"{what}',
           'raise RefusedError(**_refusal(error, account))\n        raise OutcomeUnknownError(f"{what}'),
    Mutant("a retry has a new key", "payments/providers/stripe.py",
           'return options | ({"idempotency_key": key} if key else {})',
           'return options | ({"idempotency_key": key + str(id(options))} if key else {})'),
    Mutant("an event is taken in twice", "webhooks/inbox.py",
           "        if not _insert(event):\n            return Receipt.DUPLICATE\n", "        _insert(event)\n"),
    Mutant("expiry releases no hold", "booking/expiring.py", "releases.append(", "(lambda command: None)("),
    Mutant("the answer to a capture makes it paid", "payments/applying.py",
           "    if news.event_id is None:\n", "    if False:\n"),
    Mutant("late money is kept", "booking/settlement.py", "    return [refund, command]\n", "    return []\n"),
    Mutant("a key answers anew", "idempotency/keys.py",
           "    if first.status_code is None:\n        raise KeyInUseError\n", ""),
)  # fmt: skip


def main() -> int:
    """Try every mutant that can be made; returns 1 if one is not caught."""
    table = Table("Mutant", "Caught by")
    missed = 0
    for mutant in MUTANTS:
        caught = _try(mutant)
        missed += not caught
        table.add_row(mutant.name, caught or "NOTHING")
    Console(width=120).print(table)
    return 1 if missed else 0


def _try(mutant: Mutant) -> str:
    with tempfile.TemporaryDirectory(prefix="holdfast-mutant-") as directory:
        copy = Path(directory) / "holdfast"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", ".data", "__pycache__"))
        path = copy / mutant.file
        text = path.read_text()
        assert mutant.text in text, f"{mutant.name}: {mutant.file} has changed"
        path.write_text(text.replace(mutant.text, mutant.sabotage))
        command = [sys.executable, "-m", "tests.simulation", "--seeds", str(SEEDS), "--until-first"]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, timeout=900)
        lines = [line for line in done.stderr.splitlines() if line.startswith("seed ")]
        return lines[0][:80] if done.returncode == 1 and lines else ""


if __name__ == "__main__":
    sys.exit(main())
