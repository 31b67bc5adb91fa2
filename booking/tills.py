"""Tills: opened, counted and closed by a person."""

from uuid import UUID

from django.db import IntegrityError
from django.db.models import Sum

from booking import locks
from booking.models import Reservation, Till
from booking.states import ReceiptMethod
from common import database
from common.errors import NotFoundError, ValidationError
from common.states import InvalidStateError
from tenants.models import Operator


def open_till(*, operator: Operator, name: str, currency: str, amount: int, actor: str) -> Till:
    """Open a till with some money (minor units) in it.

    Outside a transaction.

    Raises:
        ValidationError: One of this name is open.
    """
    try:
        with database.use_case():
            till = Till(
                operator=operator, name=name, currency=currency, amount_opened=amount, opened_at=database.now(),
                opened_by=actor,
            )  # fmt: skip
            database.insert_together(till)
    except IntegrityError as error:
        if database.violated(error) != "till_open_once":
            raise
        raise ValidationError(param="name", code="till_open", message=f"A till named {name} is open.") from error
    return till


def close(*, till_id: UUID, counted: int, actor: str, reason: str) -> Till:
    """Close a till with what was counted (minor units).

    What is expected, and so the difference, is kept. Outside a transaction.

    Raises:
        InvalidStateError: It is closed.
    """
    with database.use_case():
        locked = locks.get_till_for_update(till_id=till_id)
        till = locked.row
        if till.closed_at is not None:
            raise InvalidStateError(kind="till", status="closed", wanted="closed")
        till.close(counted=counted, expected=expected(till), at=locked.at, by=actor, because=reason)
        fields = ("amount_counted", "amount_expected", "closed_at", "closed_by", "closed_because")
        database.update_together((till, fields))
    return till


def expected(till: Till) -> int:
    """Add up what has to be in a till, in minor units."""
    taken = till.receipts.filter(declined_at=None).aggregate(total=Sum("amount"))["total"]
    return till.amount_opened + (taken or 0)


def find(reservation: Reservation, *, method: ReceiptMethod, till_id: UUID | None) -> Till | None:
    """Find the till for a receipt.

    The named one, or for cash the only open one.

    Raises:
        NotFoundError: There is no such open till.
    """
    there = Till.objects.filter(operator=reservation.operator_id, currency=reservation.currency, closed_at=None)
    if till_id is not None:
        named = locks.find_open_till(till_id=till_id, among=there)
        if named is None:
            raise NotFoundError(kind="open till")
        return named
    candidates = list(there[:2]) if method is ReceiptMethod.CASH else []
    return locks.find_open_till(till_id=candidates[0].pk, among=there) if len(candidates) == 1 else None
