"""Reading the objects of the second provider, which writes decimals."""

import uuid
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from payments.outcome_types import Outcome, ProviderEntry, ProviderPayment, ProviderRefund
from payments.states import LedgerKind, RefundStatus

CODE = "00020126580014br.gov.bcb.pix"

_OUTCOMES = {
    "created": Outcome.REQUIRES_PAYMENT_METHOD,
    "pending": Outcome.REQUIRES_ACTION,
    "approved": Outcome.CAPTURED,
    "cancelled": Outcome.CANCELED,
    "expired": Outcome.CANCELED,
}
_REFUNDS = {"approved": RefundStatus.SUCCEEDED, "rejected": RefundStatus.FAILED}

Row = dict[str, Any]


def lines(row: Row) -> Iterator[ProviderEntry]:
    """Read what a payment is in the books: what came, and what went back."""
    amount, currency = to_minor(row["transaction_amount"]), row["currency_id"]
    about: Row = {"payment_ref": row["id"], "currency": currency, "moved_currency": currency}
    if "paid_at" in row:
        fee = amount // 100
        yield ProviderEntry(
            ref=f"in-{row['id']}", kind=LedgerKind.CHARGE, category="payment", amount=amount, fee=fee,
            net=amount - fee, moved=amount, occurred_at=row["paid_at"], **about,
        )  # fmt: skip
    for given in row["refunds"]:
        if given["status"] == "approved":
            back = -to_minor(given["amount"])
            yield ProviderEntry(
                ref=f"out-{given['id']}", kind=LedgerKind.REFUND, category="payout_of_refund", amount=back, fee=0,
                net=back, moved=back, occurred_at=given["at"], **about,
            )  # fmt: skip


def payment(row: Mapping[str, Any], account: str) -> ProviderPayment:
    """Read a payment."""
    outcome, amount = _OUTCOMES[row["status"]], to_minor(row["transaction_amount"])
    code = {"type": "pix", "qr_code": CODE} if outcome is Outcome.REQUIRES_ACTION else None
    return ProviderPayment(
        ref=row["id"],
        outcome=outcome,
        amount=amount,
        currency=row["currency_id"],
        amount_captured=amount if outcome is Outcome.CAPTURED else 0,
        account=account,
        payment_id=uuid.UUID(row["external_reference"]),
        installation=row["installation"],
        next_action=code,
    )


def refund(row: Mapping[str, Any], given: Mapping[str, Any], account: str) -> ProviderRefund:
    """Read what was given back of a payment."""
    return ProviderRefund(
        ref=given["id"],
        payment_ref=row["id"],
        status=_REFUNDS.get(given["status"], RefundStatus.PENDING),
        amount=to_minor(given["amount"]),
        currency=row["currency_id"],
        account=account,
        refund_id=uuid.UUID(given["external_reference"]),
    )


def to_decimal(amount: int) -> str:
    """Write minor units as the provider does."""
    return str(Decimal(amount).scaleb(-2))


def to_minor(amount: str) -> int:
    return int(Decimal(amount).scaleb(2))
