"""Contradictions of one payment that need a person."""

from common import currencies
from payments.models import Payment
from payments.outcome_types import ProviderPayment
from reconciliation import discrepancies, evidence
from reconciliation.accounts import Account
from reconciliation.models import DiscrepancyKind


def note_mismatch(payment: Payment, theirs: ProviderPayment) -> bool:
    """Open a discrepancy if the provider's amount or currency differs; returns whether."""
    if (payment.amount, payment.currency) == (theirs.amount, theirs.currency):
        return False
    here = currencies.shown(payment.amount, payment.currency)
    there = currencies.shown(theirs.amount, theirs.currency)
    is_currency = payment.currency != theirs.currency
    discrepancies.open_once(
        kind=DiscrepancyKind.CURRENCY if is_currency else DiscrepancyKind.AMOUNT,
        account=Account(payment.provider, payment.provider_account),
        subject=theirs.ref,
        summary=f"We ask for {here}; the provider has {there}.",
        difference={
            "ours": {"amount": payment.amount, "currency": payment.currency},
            "theirs": {"amount": theirs.amount, "currency": theirs.currency},
        },
        seen=evidence.of_payment(payment, theirs),
        payment=payment,
    )
    return True
