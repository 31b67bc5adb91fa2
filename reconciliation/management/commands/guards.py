"""``manage.py guards``: the guards of the database, from its catalog."""

from typing import Any

from common.commands import CheckedCommand
from reconciliation import guards_page


class Command(CheckedCommand):
    """Print the page that docs/guards.md is."""

    help = "List the guards of the database, as Markdown. Reads only."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        self.stdout.write(guards_page.page(), ending="")
