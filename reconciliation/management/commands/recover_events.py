"""``manage.py recover_events``: take in the events whose webhook never came."""

from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common import database, loops
from payments.providers.errors import ProviderError
from payments.throttle import PausedError
from reconciliation import missed_events, watermarks
from reconciliation.accounts import Account
from reconciliation.reporting import NOT_ASKED, PERSON_NEEDED, WELL, ReportingCommand, moment, patiently
from webhooks.inbox import Receipt


class Command(ReportingCommand):
    """Read undelivered events, and put them through the inbox."""

    help = (
        "Take in the provider's events whose webhook never came. Exit status: 0 done, 1 some could not be applied "
        "(they are kept and tried again), 3 the provider could not be asked, or not all that it says be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take since when, and whether only to tell."""
        super().add_arguments(parser)
        parser.add_argument("--since", type=moment, help="Read from there on, whatever was read before.")
        parser.add_argument("--dry-run", action="store_true", help="Only list them; change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Recover and report."""
        if options["dry_run"]:
            self._tell(options)
            return
        chosen = self.accounts_of(options)
        with self.progress(options, "Reading events") as progress:
            if options["since"]:
                tally = missed_events.recover_since(accounts=chosen, since=options["since"], wait=patiently)
            else:
                tally = missed_events.recover_unread(accounts=chosen, wait=patiently)
            progress(1.0)
        problems = [{"problem": problem} for problem in tally.problems]
        self.report(options, problems, {"events": tally.taken, **tally.receipts, "problems": len(problems)})
        kept = tally.receipts[Receipt.KEPT.value]
        self.leave(NOT_ASKED if problems else PERSON_NEEDED if kept else WELL)

    def _tell(self, options: Mapping[str, Any]) -> None:
        rows = []
        with loops.watch() as reading:
            try:
                for account in filter(missed_events.kept_for, self.accounts_of(options)):
                    rows += self._list(account, options["since"])
            except (ProviderError, PausedError) as error:
                self.stderr.write(str(error))
                self.leave(NOT_ASKED)
        self.report(options, rows, {"missing": len(rows)})
        if reading.problems:
            self.stderr.write("\n".join(reading.problems))
            self.leave(NOT_ASKED)

    def _list(self, account: Account, since: datetime | None) -> list[dict[str, Any]]:
        now = database.now()
        first, last = since or now - missed_events.kept_for(account), now + watermarks.OVERLAP
        missing = missed_events.list_missing(account=account, since=first, until=last, wait=patiently)
        return [
            {"account": str(account), "event": event.event_id, "type": event.type, "object": event.object_ref,
             "happened": event.created_at}
            for event in missing
        ]  # fmt: skip
