"""Status checks, run as if time had passed."""

from reconciliation import status_checks
from reconciliation.check_attempts import Result
from tests.support.aging import end_leases, let_checks_be_due


def check(number: int = 1) -> list[Result]:
    """Let checks be due, so many times, and run them."""
    found = []
    for _ in range(number):
        let_checks_be_due()
        end_leases()
        found += [result for _, result in status_checks.reconcile_due().lines]
    return found
