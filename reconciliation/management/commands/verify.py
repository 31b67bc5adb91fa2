"""``manage.py verify``: check every promise against the live database.

With ``--provider``, against the provider too.
"""

import json
from argparse import ArgumentParser
from typing import Any

from common import loops
from common.commands import CheckedCommand
from payments.providers.errors import ProviderError
from reconciliation import dangling_holds, promises
from reconciliation.reporting import NOT_ASKED, patiently


class Command(CheckedCommand):
    """Print one line for each promise.

    Exits with 1 if any is broken, with 3 if the provider's side is unknown.
    """

    help = "Check the promises. Reads only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ``--provider`` and ``--json``."""
        parser.add_argument("--provider", action="store_true", help="Ask the providers too (P7).")
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check and print."""
        verdicts, unreadable = promises.check_all(), list[str]()
        if options["provider"]:
            try:
                with loops.watch() as reading:
                    verdicts.append(dangling_holds.check(wait=patiently))
            except ProviderError as error:
                self.stderr.write(f"The provider could not be asked: {error}")
                raise SystemExit(NOT_ASKED) from error
            unreadable = reading.problems
        if options["json"]:
            self.stdout.write(json.dumps([_plain(verdict) for verdict in verdicts], indent=2))
        else:
            self._print(verdicts)
        if any(verdict.breaches for verdict in verdicts):
            raise SystemExit(1)
        if unreadable:
            self.stderr.write("\n".join(["What the provider has could not all be read:", *unreadable]))
            raise SystemExit(NOT_ASKED)

    def _print(self, verdicts: list[promises.Verdict]) -> None:
        for verdict in verdicts:
            style, word = (self.style.ERROR, "BROKEN") if verdict.breaches else (self.style.SUCCESS, "holds")
            self.stdout.write(style(f"{verdict.promise.number}  {word:<6}  {verdict.promise.text}"))
            for row, what in verdict.examples:
                self.stdout.write(f"      {row}: {what}")
            if verdict.breaches > len(verdict.examples):
                self.stdout.write(f"      … and {verdict.breaches - len(verdict.examples)} more")


def _plain(verdict: promises.Verdict) -> dict[str, object]:
    return {
        "promise": verdict.promise.number,
        "text": verdict.promise.text,
        "holds": not verdict.breaches,
        "breaches": verdict.breaches,
        "examples": [{"id": row, "what": what} for row, what in verdict.examples],
    }
