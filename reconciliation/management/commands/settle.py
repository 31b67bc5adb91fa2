"""``manage.py settle``: compare a day of the provider's ledger with ours."""

from argparse import ArgumentParser
from datetime import UTC, timedelta
from typing import Any

from common import currencies, database, loops
from reconciliation import settlements
from reconciliation.accounts import Account
from reconciliation.models import SettlementRun
from reconciliation.reporting import NOT_ASKED, PERSON_NEEDED, WELL, ReportingCommand, day, patiently


class Command(ReportingCommand):
    """Settle one day of every account whose provider has a ledger."""

    help = (
        "Compare a day of the provider's ledger with ours, per payment and per payout. Exit status: 0 they are equal, "
        "1 there are new discrepancies, 3 the provider could not be asked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the day."""
        super().add_arguments(parser)
        parser.add_argument("--date", type=day, help="The day in UTC, such as 2026-11-20; yesterday if left out.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Settle and report."""
        date = options["date"] or (database.now().astimezone(UTC) - timedelta(days=1)).date()
        runs: list[SettlementRun] = []

        def settle(account: Account) -> None:
            with self.progress(options, f"Settling {account}") as progress:
                runs.append(settlements.settle(account=account, day=date, wait=patiently, progress=progress))

        chosen = settlements.with_ledger(self.accounts_of(options))
        done = loops.each(chosen, settle, name="settle", label=str)
        rows, differences = [_row(run, full=options["json"]) for run in runs], sum(run.differences for run in runs)
        payments = sum(row["payments"] for row in rows)
        self.report(options, rows, {"date": date, "payments": payments, "differences": differences})
        if not done.is_complete:
            self.stderr.write("\n".join([*done.problems, "What was read is kept; run it again."]))
            self.leave(NOT_ASKED)
        self.leave(PERSON_NEEDED if differences else WELL)


def _row(run: SettlementRun, *, full: bool) -> dict[str, Any]:
    account = f"{run.provider} {run.account}".strip()
    counts = {"payments": run.payments, "payouts": run.payouts, "differences": run.differences}
    totals = {"totals": run.totals} if full else _money(run.totals)
    return {"account": account, "date": run.date, **counts, **totals}


def _money(totals: dict[str, Any]) -> dict[str, str]:
    """Write the totals here and, where they differ, at the provider."""
    told: dict[str, list[str]] = {"captured": [], "refunded": []}
    for currency, sides in totals["payments"].items():
        for name, lines in told.items():
            here, there = (currencies.shown(sides[name][side], currency) for side in ("here", "there"))
            lines.append(here if here == there else f"{here} (there {there})")
    return {name: ", ".join(lines) for name, lines in told.items()}
