"""Refunds that did not reach the customer: hanging, refused, or returned."""

from django.db.models import CharField, F, Q, QuerySet
from django.db.models.functions import Cast

from common import currencies, loops
from payments import refund_outcomes
from payments.models import Refund
from payments.states import REFUND_OVER_WITHOUT_MONEY, RefundStatus
from reconciliation import discrepancies, evidence
from reconciliation.accounts import Account
from reconciliation.models import ACCEPTED, ASKED_AGAIN, OTHER_WAY, Discrepancy, DiscrepancyKind
from tenants import clocks

_BY_A_PERSON = (ACCEPTED, ASKED_AGAIN, OTHER_WAY)


def keep() -> int:
    """Open a discrepancy for each failed refund; resolve settled ones.

    Returns how many were opened.

    One that hangs is told of at once, though it is asked for again by itself. Settled is what has arrived, or of whose
    payment nothing is left to be given back.
    """
    told = discrepancies.unresolved(DiscrepancyKind.REFUND_FAILED)
    owed = _owed()
    opened = loops.each(loops.flat(loops.pages(_undecided(owed))), _open, name="open_for_failed_refunds").done
    still = owed.annotate(subject=Cast("pk", CharField())).values("subject")
    discrepancies.resolve_each(told.exclude(subject__in=still), because="the money is back, or on its way")
    return opened


def _owed() -> QuerySet[Refund]:
    """Select refunds whose money is owed still and is not on its way by another."""
    left = F("payment__amount_refunded") + F("payment__amount_refunding")
    is_over = Q(status__in=sorted(REFUND_OVER_WITHOUT_MONEY), payment__amount_captured__gt=left)
    hangs = Q(status=RefundStatus.PENDING) & ~Q(failure_code="")
    return Refund.objects.filter(is_over | hangs, replaced_by=None)


def _undecided(owed: QuerySet[Refund]) -> QuerySet[Refund]:
    """Leave out what a person has decided about; what is told of is told anew if it has changed."""
    rows = Discrepancy.objects.filter(kind=DiscrepancyKind.REFUND_FAILED)
    known = rows.filter(resolved_at__isnull=False, resolution__in=_BY_A_PERSON)
    return (
        owed.annotate(subject=Cast("pk", CharField()))
        .exclude(subject__in=known.values("subject"))
        .select_related("payment__operator")
    )


def _open(refund: Refund) -> int:
    payment = refund.payment
    money = currencies.shown(refund.amount, payment.currency)
    if refund.status == RefundStatus.PENDING:
        until = clocks.when(refund.created_at + refund_outcomes.PATIENCE, payment.operator.timezone)
        told = f"A refund of {money} hangs ({refund.failure_code})."
        told += "" if refund.provider_ref else f" It is asked for again by itself until {until}."
    else:
        told = f"A refund of {money} did not go through ({refund.failure_code or refund.status}): it is still owed."
    return discrepancies.open_or_refresh(
        kind=DiscrepancyKind.REFUND_FAILED,
        account=Account(payment.provider, payment.provider_account),
        subject=str(refund.pk),
        summary=told,
        difference={
            "ours": {"refund": refund.amount, "currency": payment.currency},
            "theirs": {"status": refund.status, "code": refund.failure_code},
        },
        seen=evidence.of_payment(payment),
        payment=payment,
    )
