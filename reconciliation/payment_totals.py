"""The totals of a payment, here and at the provider.

A difference is over when they are equal, and not before.
"""

from dataclasses import dataclass

from common import currencies, database
from payments import throttle
from payments.models import Payment
from payments.outcome_types import ProviderRefund
from payments.providers import registry
from payments.providers.notifications import Unreadable
from payments.states import RefundStatus


@dataclass(frozen=True, slots=True)
class PaymentTotals:
    """Amount, captured and refunded money of a payment, in minor units."""

    amount: int
    captured: int
    refunded: int
    currency: str

    def __str__(self) -> str:
        captured, refunded = (currencies.shown(money, self.currency) for money in (self.captured, self.refunded))
        return f"{captured} captured, {refunded} refunded"


def get_ours(payment: Payment) -> PaymentTotals:
    """Read our figures as they are at this moment."""
    row = Payment.objects.get(pk=payment.pk)
    return PaymentTotals(row.amount, row.amount_captured, row.amount_refunded, row.currency)


def fetch_theirs(payment: Payment) -> PaymentTotals:
    """Ask the provider for its figures. Must be called outside a transaction.

    Raises:
        ProviderError: It cannot be asked, or a refund that it has cannot be read.
    """
    account = payment.provider_account
    throttle.count(provider=payment.provider, account=account)
    throttle.count(provider=payment.provider, account=account)
    database.leave_database()
    provider = registry.get(payment.provider)
    theirs = provider.fetch(ref=payment.provider_ref, account=account)
    refunds = provider.list_refunds(ref=payment.provider_ref, account=account)
    returned = sum(_returned(refund) for refund in refunds)
    return PaymentTotals(theirs.amount, theirs.amount_captured, returned, theirs.currency)


def _returned(refund: ProviderRefund | Unreadable) -> int:
    """Return what a refund has given back; one that cannot be read leaves the figures unknown."""
    if isinstance(refund, Unreadable):
        raise refund.error
    return refund.amount if refund.status is RefundStatus.SUCCEEDED and refund.moved_money else 0
