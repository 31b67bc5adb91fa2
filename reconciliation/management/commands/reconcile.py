"""``manage.py reconcile``: ask providers about payments of unknown outcome."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.db.models import Q

from common import loops
from payments import throttle
from payments.models import CheckResult, Payment
from reconciliation import check_attempts, discrepancy_rules, status_checks
from reconciliation.reporting import NOT_ASKED, PERSON_NEEDED, WELL, ReportingCommand, moment, patiently


class Command(ReportingCommand):
    """Check payments that are due, or named ones, due or not."""

    help = (
        "Ask the provider about payments whose outcome is not known. Exit status: 0 all is known or on its way, "
        "1 a person is needed, 3 the provider could not be asked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take which payments, and whether only to tell."""
        super().add_arguments(parser)
        parser.add_argument("--payment", metavar="ID", help="This payment, by our id or the provider's.")
        parser.add_argument("--since", type=moment, help="Every open payment made since then, due or not.")
        parser.add_argument("--dry-run", action="store_true", help="Only tell; change nothing, here or there.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look and report."""
        payments = self._chosen(options)
        rows = self._tell(payments, options) if options["dry_run"] else self._do(payments, options)
        stuck = payments_stuck(payments)
        counts = Counter(str(row["result"]) for row in rows)
        self.report(options, rows, {"payments": len(rows), **counts, "stuck": stuck})
        failed = any(row["result"] in (CheckResult.FAILED, "not asked") for row in rows)
        self.leave(PERSON_NEEDED if stuck else NOT_ASKED if failed else WELL)

    def _chosen(self, options: Mapping[str, Any]) -> list[Payment]:
        operator = self.operator_of(options)
        mine = Q(operator=operator) if operator else Q()
        if options["payment"]:
            found = list(Payment.objects.filter(mine & _named(options["payment"])))
            if not found:
                raise CommandError(f"There is no payment {options['payment']}.", returncode=2)
            return found
        if options["since"] or operator:
            since = Q(created_at__gte=options["since"]) if options["since"] else Q()
            return list(Payment.objects.filter(mine & since, next_check_at__isnull=False).order_by("next_check_at"))
        return list(check_attempts.due())

    def _do(self, payments: Sequence[Payment], options: Mapping[str, Any]) -> list[dict[str, Any]]:
        def ask(payment: Payment) -> list[dict[str, Any]]:
            result = status_checks.reconcile_now(payment=payment, wait=patiently)
            if result is None:
                return []
            return [_row(payment, result.provider_status, result.result.value, result.done or result.error)]

        rows = self._of_each(payments, ask, options)
        discrepancy_rules.apply()
        return rows

    def _tell(self, payments: Sequence[Payment], options: Mapping[str, Any]) -> list[dict[str, Any]]:
        def look(payment: Payment) -> list[dict[str, Any]]:
            throttle.wait_for(provider=payment.provider, account=payment.provider_account, wait=patiently)
            found = status_checks.check(payment=payment)
            return [_row(payment, found.status, f"would {found.step}", found.why)]

        return self._of_each(payments, look, options)

    def _of_each(
        self,
        payments: Sequence[Payment],
        ask: Callable[[Payment], list[dict[str, Any]]],
        options: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        with self.progress(options, "Asking the provider") as progress:

            def work(payment: Payment) -> None:
                rows.extend(ask(payment))
                progress(len(rows) / len(payments))

            done = loops.each(payments, work, name="reconcile")
        nothing = {"payment": "", "here": "", "there": "", "result": "not asked"}
        return rows + [nothing | {"what": problem} for problem in done.problems]


def payments_stuck(payments: Sequence[Payment]) -> int:
    """Count those of some payments that need a person."""
    return Payment.objects.filter(pk__in=[payment.pk for payment in payments], stuck_at__isnull=False).count()


def _named(name: str) -> Q:
    try:
        return Q(pk=UUID(name))
    except ValueError:
        return Q(provider_ref=name)


def _row(payment: Payment, there: str, result: str, what: str) -> dict[str, Any]:
    ref = payment.provider_ref or str(payment.pk)
    return {"payment": ref, "here": payment.status, "there": there, "result": result, "what": what}
