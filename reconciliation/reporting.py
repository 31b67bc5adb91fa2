"""The base of commands for people: JSON or table, progress, exit status."""

import json
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils.dateparse import parse_date, parse_datetime
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from common.commands import CheckedCommand
from reconciliation import accounts
from reconciliation.accounts import Account
from tenants.models import Operator

WELL = 0
"""Nothing is left for a person."""
PERSON_NEEDED = 1
NOT_ASKED = 3
"""The provider could not be asked (or is not to be asked now): run it again. 2 is a wrong option."""


_WIDE = 250


class ReportingCommand(CheckedCommand):
    """A command with a result for a person, or for programs (``--json``)."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ``--operator`` and ``--json``."""
        parser.add_argument("--operator", metavar="SLUG", help="Only what is this operator's.")
        parser.add_argument("--json", action="store_true", help="Print JSON, and no progress.")

    def operator_of(self, options: Mapping[str, Any]) -> Operator | None:
        """Return the operator that is asked for, if one is.

        Raises:
            CommandError: There is none of that name.
        """
        slug = options["operator"]
        found = Operator.objects.filter(slug=slug).first() if slug else None
        if slug and found is None:
            raise CommandError(f"There is no operator {slug}.", returncode=2)
        return found

    def accounts_of(self, options: Mapping[str, Any]) -> list[Account]:
        """List the accounts that are asked for."""
        return accounts.list_accounts(operator=self.operator_of(options))

    def report(self, options: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> None:
        """Print every row and the summary, as JSON or as tables."""
        if options["json"]:
            self.stdout.write(json.dumps({"rows": list(rows), "summary": dict(summary)}, indent=2, default=str))
            return
        console = self._console()
        if rows:
            table = Table(show_edge=False, pad_edge=False)
            for name in rows[0]:
                table.add_column(name, overflow="fold")
            for row in rows:
                table.add_row(*("" if value is None else str(value) for value in row.values()))
            console.print(table)
        console.print(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in summary.items()))

    def leave(self, status: int) -> None:
        """End with an exit status.

        Raises:
            SystemExit: It is not 0.
        """
        if status:
            raise SystemExit(status)

    @contextmanager
    def progress(self, options: Mapping[str, Any], what: str) -> Iterator[Callable[[float], None]]:
        """Show a progress bar on a terminal; yields its setter."""
        console = self._console()
        with Progress(console=console, transient=True, disable=options["json"] or not console.is_terminal) as bar:
            task = bar.add_task(what, total=1.0)
            yield lambda done: bar.update(task, completed=done)

    def _console(self) -> Console:
        # The wrapped stream, since the wrapper ends every write with a line break.
        stream: Any = self.stdout
        console = Console(file=getattr(stream, "_out", stream), highlight=False)
        if not console.is_terminal:
            console.width = _WIDE  # what is read by a program is not to be cut
        return console


def patiently(seconds: float) -> None:
    """Wait until the provider may be called again."""
    time.sleep(min(seconds, 60))


def moment(text: str) -> datetime:
    """Read a time option; without a zone it is UTC.

    Raises:
        ArgumentTypeError: It is none.
    """
    day = _or_none(parse_date, text)
    found = _or_none(parse_datetime, text) or (datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None)
    if found is None:
        raise ArgumentTypeError(f"{text} is not a time, such as 2026-11-20 or 2026-11-20T08:00:00Z.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def day(text: str) -> date:
    """Read an option that is a day.

    Raises:
        ArgumentTypeError: It is none.
    """
    found: date | None = _or_none(parse_date, text)
    if found is None:
        raise ArgumentTypeError(f"{text} is not a day, such as 2026-11-20.")
    return found


def _or_none(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None
