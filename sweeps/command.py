"""What the management commands of the sweeps have in common."""

from typing import Any

from common.commands import CheckedCommand
from sweeps import registry


class SweepCommand(CheckedCommand):
    """Run one sweep and say how many rows it dealt with."""

    sweep: str

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it."""
        handled = registry.run(self.sweep)
        self.stdout.write(f"{self.sweep}: {handled}")
