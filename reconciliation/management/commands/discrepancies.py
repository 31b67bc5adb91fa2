"""``manage.py discrepancies``: what waits for a person."""

from argparse import ArgumentParser
from typing import Any

from common.times import rfc3339
from reconciliation.models import Discrepancy, DiscrepancyKind, DiscrepancyStatus
from reconciliation.reporting import PERSON_NEEDED, WELL, ReportingCommand


class Command(ReportingCommand):
    """List discrepancies."""

    help = "List what waits for a person. Exit status: 0 nothing does, 1 something does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the kind, and whether resolved ones are listed too."""
        super().add_arguments(parser)
        parser.add_argument("--kind", choices=DiscrepancyKind.values, help="Only those of this kind.")
        parser.add_argument("--all", action="store_true", help="Those that are resolved too.")

    def handle(self, *args: Any, **options: Any) -> None:
        """List them."""
        found = Discrepancy.objects.select_related("operator").order_by("opened_at")
        operator = self.operator_of(options)
        found = found.filter(operator=operator) if operator else found
        found = found.filter(kind=options["kind"]) if options["kind"] else found
        waiting = found.exclude(status=DiscrepancyStatus.RESOLVED)
        rows = [_row(row, full=options["json"]) for row in (found if options["all"] else waiting)]
        number = waiting.count()
        self.report(options, rows, {"unresolved": number})
        self.leave(PERSON_NEEDED if number else WELL)


def _row(row: Discrepancy, *, full: bool) -> dict[str, Any]:
    short = {
        "opened": rfc3339(row.opened_at),
        "kind": row.kind,
        "subject": row.subject,
        "status": row.status,
        "operator": row.operator.slug if row.operator else None,
        "summary": row.summary,
    }
    more = {"id": str(row.pk), "difference": row.difference, "resolution": row.resolution or None}
    return short | (more if full else {})
