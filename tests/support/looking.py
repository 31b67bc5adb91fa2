"""Looks at the provider, taken as if time had passed."""

from reconciliation import status_checks
from reconciliation.check_attempts import Result
from tests.support.aging import end_leases, let_looks_be_due


def look(number: int = 1) -> list[Result]:
    """Let looks be due, so many times, and take them."""
    found = []
    for _ in range(number):
        let_looks_be_due()
        end_leases()
        found += [result for _, result in status_checks.reconcile_due().lines]
    return found
