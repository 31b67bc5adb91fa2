"""Surplus goes back by the way it came, the newest money first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking import on_account
from booking.models import Receipt, Reservation
from booking.states import ReceiptMethod
from payments import outcome_steps
from payments.models import Payment
from payments.states import REFUND_OVER_WITHOUT_MONEY

_TAKEN_OFF = "nothing is owed for it any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """How an amount goes back, in minor units."""

    refund: int = 0
    on_account: int = 0
    by_hand: int = 0


def how_back(reservation: Reservation, amount: int) -> Back:
    """Say by which ways an amount (minor units) would go back."""
    found = {"refund": 0, "on_account": 0, "by_hand": 0}
    left = amount
    for source, available in _newest_first(reservation):
        part = min(left, available)
        if part > 0:
            found[_way(source)] += part
            left -= part
    found["by_hand"] += left
    return Back(**found)


def give_back(reservation: Reservation, *, at: datetime) -> list[Any]:
    """Give surplus back; returns the rows to store.

    For ``balance.even_out`` alone. Provider money goes by a refund, what stands on an account by a receipt of less than
    nothing. Cash and the like, and what cannot be refunded, is left for a person to pay out (``receipts.pay_out``).
    """
    rows: list[Any] = []
    if reservation.balance >= 0:
        return rows
    by_hand = 0
    for source, available in _newest_first(reservation):
        part = min(-reservation.balance - by_hand, available)
        if part <= 0:
            continue
        match _way(source), source:
            case "refund", Payment():
                rows += outcome_steps.refund_late(source, at, amount=part)
            case "on_account", _:
                rows.append(on_account.put(reservation, -part, at=at, by=outcome_steps.ACTOR, reason=_TAKEN_OFF))
            case _ if isinstance(source, Receipt):
                by_hand += part
    return rows


def _newest_first(reservation: Reservation) -> list[tuple[Payment | Receipt, int]]:
    """List the money in hand, the newest first, with how much of each is left."""
    sources = sorted(_sources(reservation), key=lambda found: found[0], reverse=True)
    return [
        (source, source.amount if isinstance(source, Receipt) else source.amount_refundable) for _, source in sources
    ]


def _way(source: Payment | Receipt) -> str:
    """Name the way by which money goes back that came so."""
    if isinstance(source, Receipt):
        return "on_account" if source.method == ReceiptMethod.ACCOUNT else "by_hand"
    return "refund" if _is_refundable(source) else "by_hand"


def _sources(reservation: Reservation) -> list[tuple[datetime, Payment | Receipt]]:
    """List the money that was taken, with when it came; each receipt with what is left of it."""
    taken: list[tuple[datetime, Payment | Receipt]] = [
        (payment.as_of or payment.created_at, payment) for payment in reservation.payments if payment.amount_captured
    ]
    if not reservation.amount_collected:
        return taken
    given_back: dict[bool, int] = {True: 0, False: 0}
    for receipt in reservation.receipts.filter(approved_at__isnull=False).order_by("-at", "-id"):
        is_account = receipt.method == ReceiptMethod.ACCOUNT
        if receipt.amount < 0:
            given_back[is_account] -= receipt.amount
            continue
        gone = min(given_back[is_account], receipt.amount)
        given_back[is_account] -= gone
        receipt.amount -= gone
        if receipt.amount:
            taken.append((receipt.at, receipt))
    return taken


def _is_refundable(payment: Payment) -> bool:
    """Whether money of it goes back by itself.

    A refund that was refused for good, or withdrawn, is not asked for again until a person says so; what a bank holds
    or has taken in a dispute is not given back.
    """
    over = payment.refunds.filter(status__in=sorted(REFUND_OVER_WITHOUT_MONEY), replaced_by=None)
    return not payment.is_disputed and not over.exists()
