"""Part captures, such as at the provider's dashboard, for a person."""

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from booking.models import Reservation
from booking.states import ReservationStatus
from common import currencies, loops
from payments.models import Command, Payment
from payments.states import CommandKind, PaymentStatus
from reconciliation import discrepancies, evidence
from reconciliation.accounts import Account
from reconciliation.models import DiscrepancyKind


def keep() -> int:
    """Open a discrepancy for each part capture; resolve settled ones.

    Returns how many were opened.

    Settled is what was given back, or what is not wanted any more. Late money of what is over is given back by itself.
    """
    told = discrepancies.unresolved(DiscrepancyKind.PARTIAL_CAPTURE)
    parts = _parts()
    opened = loops.each(
        loops.flat(loops.pages(parts.exclude(pk__in=told.values("payment")))), _open, name="open_for_part_captures"
    ).done
    discrepancies.resolve_each(told.exclude(payment__in=parts), because="the money is given back")
    return opened


def _parts() -> QuerySet[Payment]:
    """Select payments with an unwanted part capture that is not given back."""
    wanted_more = Command.objects.filter(
        payment=OuterRef("pk"), kind=CommandKind.CAPTURE, amount__gt=OuterRef("amount_captured")
    )
    confirmed = Reservation.objects.filter(pk=OuterRef("managed_id"), status=ReservationStatus.CONFIRMED)
    return Payment.objects.filter(
        Exists(confirmed) | (Q(managed_by="") & Exists(wanted_more)),
        status=PaymentStatus.SUCCEEDED,
        amount_captured__lt=F("amount"),
        amount_captured__gt=F("amount_refunded"),
    )


def _open(payment: Payment) -> int:
    part, whole = (currencies.shown(money, payment.currency) for money in (payment.amount_captured, payment.amount))
    return discrepancies.open_once(
        kind=DiscrepancyKind.PARTIAL_CAPTURE,
        account=Account(payment.provider, payment.provider_account),
        subject=payment.provider_ref,
        summary=f"The provider captured {part} of {whole} and released the rest of the hold.",
        difference={
            "ours": {"amount": payment.amount, "currency": payment.currency},
            "theirs": {"captured": payment.amount_captured, "currency": payment.currency},
        },
        seen=evidence.of_payment(payment),
        payment=payment,
    )
