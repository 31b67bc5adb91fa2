"""Surplus that a person has to pay out: cash and the like."""

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from booking.models import MANAGES, Reservation
from common import currencies, loops
from payments.models import Dispute, Payment
from reconciliation import discrepancies
from reconciliation.accounts import Account
from reconciliation.models import DiscrepancyKind


def keep() -> int:
    """Open a discrepancy for each surplus in hand; resolve settled ones.

    Returns how many were opened. What a provider or an account gives back goes back by itself.
    """
    told = discrepancies.unresolved(DiscrepancyKind.PAYOUT)
    owed = _owed()
    opened = loops.each(
        loops.flat(loops.pages(owed.exclude(reference__in=told.values("subject")))), _open, name="open_for_payouts"
    ).done
    discrepancies.resolve_each(told.exclude(subject__in=owed.values("reference")), because="it is paid out")
    return opened


def _owed() -> QuerySet[Reservation]:
    """Select reservations with too much in hand and nothing on its way back."""
    goes_back = Payment.objects.filter(managed_id=OuterRef("pk"), managed_by=MANAGES, amount_refunding__gt=0)
    disputed = Dispute.objects.filter(payment__managed_id=OuterRef("pk"), payment__managed_by=MANAGES)
    return Reservation.objects.filter(
        Q(amount_collected__gt=0) | Exists(disputed),
        ~Exists(goes_back),
        amount_owed__lt=F("amount_proven") + F("amount_collected"),
    )


def _open(row: Reservation) -> int:
    surplus = row.amount_proven + row.amount_collected - row.amount_owed
    return discrepancies.open_once(
        kind=DiscrepancyKind.PAYOUT,
        account=Account("", ""),
        subject=row.reference,
        summary=f"{currencies.shown(surplus, row.currency)} of {row.reference} are too much in hand: pay them out.",
        difference={
            "ours": {"owed": row.amount_owed, "currency": row.currency},
            "theirs": {"paid": row.amount_proven + row.amount_collected, "currency": row.currency},
        },
        seen={"reservation": str(row.pk)},
        operator_id=row.operator_id,
    )
