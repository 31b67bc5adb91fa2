"""Discrepancies that tests open."""

from typing import Any

from payments.models import Payment
from reconciliation import discrepancies
from reconciliation.accounts import Account
from reconciliation.models import Discrepancy, DiscrepancyKind

STRIPE = Account("stripe")


def open_one(payment: Payment | None = None, **changes: Any) -> Discrepancy:
    """Open a discrepancy of an amount, or as ``changes`` say."""
    given: dict[str, Any] = {
        "kind": DiscrepancyKind.AMOUNT,
        "account": STRIPE,
        "subject": payment.provider_ref if payment else "pi_1",
        "summary": "Theirs is not ours.",
        "difference": {"ours": {"captured": 1}, "theirs": {"captured": 2}},
        "seen": {"ours": {"captured": 1}, "theirs": {"captured": 2}},
        "payment": payment,
    }
    discrepancies.open_once(**given | changes)
    return Discrepancy.objects.latest("opened_at")
