"""Receipts: money that no provider takes, by a person or a program."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Sum

from booking import balance, dues, execution, locks, tills
from booking.errors import HoldExpiredError, NothingDueError, OwnReceiptError
from booking.models import Receipt, Reservation
from booking.states import HOLDING, ReceiptMethod, ReservationStatus
from common import currencies, database
from common.errors import ValidationError
from common.locking import AsOf, Locked
from common.states import InvalidStateError
from payments import outcome_steps
from payments.models import Command
from tenants.models import Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was taken."""

    method: ReceiptMethod
    amount: int | None = None
    """In minor units; None: all that is left to pay."""
    till_id: UUID | None = None
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A receipt, and its reservation as it is now."""

    receipt: Receipt
    reservation: AsOf[Reservation]


def take(*, operator: Operator, reservation_id: UUID, operation_id: UUID, actor: str, request: Request) -> Taken:
    """Take money for a reservation, up to what is left to pay.

    ``operation_id`` becomes the receipt's: a second run with it takes nothing. A live attempt is closed; what it takes
    nevertheless goes back. From ``RECEIPT_FOUR_EYES`` on it counts when a second person has approved it. Must be called
    outside a transaction.

    Raises:
        NotFoundError: The operator has no such reservation, or no such open till.
        HoldExpiredError, InvalidStateError: It holds no places.
        NothingDueError: Nothing is left to pay.
        ValidationError: It is more than is left, or less than a hold needs.
    """
    closing: Sequence[Command] = []
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator.pk)
        reservation, at = locked.row, locked.at
        earlier = reservation.receipts.filter(pk=operation_id).first()
        if earlier is not None:
            return Taken(receipt=earlier, reservation=locked)
        amount = _amount(reservation, request, at)
        receipt = Receipt(
            id=operation_id, reservation=reservation, method=request.method, amount=amount,
            till=tills.find(reservation, method=request.method, till_id=request.till_id),
            reference=request.reference, at=at, actor=actor, reason=request.reason,
        )  # fmt: skip
        if not needs_approval(amount):
            closing = _count(reservation, receipt, at, by=actor)
        else:
            database.insert_together(receipt)
    return Taken(receipt=receipt, reservation=_send(closing, locked))


def approve(*, receipt_id: UUID, actor: str) -> Receipt:
    """Approve a receipt that waits, by a second person.

    Outside a transaction.

    Raises:
        OwnReceiptError: The person took it.
        InvalidStateError: It does not wait, or its reservation is over.
        ValidationError: It is more than is left to pay by now.
    """
    closing: Sequence[Command] = []
    with database.use_case():
        receipt, locked = _get_waiting(receipt_id, wanted="approved")
        if receipt.actor == actor:
            raise OwnReceiptError
        reservation, at = locked.row, locked.at
        _check_state(reservation, at)
        if receipt.amount > reservation.balance:
            raise _too_much(reservation, reservation.balance)
        closing = _count(reservation, receipt, at, by=actor)
    _send(closing, locked)
    return receipt


def decline(*, receipt_id: UUID, actor: str) -> Receipt:
    """Decline a receipt that waits: it never counts. Outside a transaction."""
    with database.use_case():
        receipt, locked = _get_waiting(receipt_id, wanted="declined")
        receipt.declined_at, receipt.approved_by = locked.at, actor
        database.update_together((receipt, ("declined_at", "approved_by")))
    return receipt


def correct(*, receipt_id: UUID, operation_id: UUID, actor: str, reason: str) -> Receipt:
    """Take a wrong receipt back.

    The till that is open now pays it. Outside a transaction.

    Raises:
        InvalidStateError: It does not count, gives back, or is taken back already.
    """
    with database.use_case():
        found = Receipt.objects.get(pk=receipt_id)
        locked = locks.get_reservation_for_update(pk=found.reservation_id)
        reservation, at = locked.row, locked.at
        earlier = reservation.receipts.filter(corrects=found).first()
        if earlier is not None and earlier.pk == operation_id:
            return earlier
        if found.approved_at is None or found.amount < 0 or earlier is not None:
            raise InvalidStateError(kind="receipt", status="not in the books", wanted="taken back")
        wrong = Receipt(
            id=operation_id, reservation=reservation, method=found.method, amount=-found.amount,
            till=tills.find(reservation, method=ReceiptMethod(found.method), till_id=None), corrects=found,
            at=at, actor=actor, reason=reason,
        )  # fmt: skip
        _count(reservation, wrong, at, by=actor)
    return wrong


def pay_out(*, operator: Operator, reservation_id: UUID, operation_id: UUID, actor: str, request: Request) -> Receipt:
    """Give surplus back by hand, where no provider can.

    Outside a transaction.

    Raises:
        ValidationError: It is more than the surplus.
    """
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator.pk)
        reservation, at = locked.row, locked.at
        earlier = reservation.receipts.filter(pk=operation_id).first()
        if earlier is not None:
            return earlier
        surplus = max(0, -reservation.balance)
        amount = surplus if request.amount is None else request.amount
        if not 0 < amount <= surplus:
            message = f"{currencies.shown(surplus, reservation.currency)} are too much in hand."
            raise ValidationError(param="amount", code="invalid_amount", message=message)
        receipt = Receipt(
            id=operation_id, reservation=reservation, method=request.method, amount=-amount,
            till=tills.find(reservation, method=request.method, till_id=request.till_id),
            reference=request.reference, at=at, actor=actor, reason=request.reason,
        )  # fmt: skip
        _count(reservation, receipt, at, by=actor)
    return receipt


def needs_approval(amount: int) -> bool:
    """Tell whether a receipt of an amount needs a second person.

    In minor units.
    """
    limit: int = settings.RECEIPT_FOUR_EYES
    return bool(limit) and amount >= limit


def _amount(reservation: Reservation, request: Request, at: datetime) -> int:
    _check_state(reservation, at)
    waiting = reservation.receipts.filter(approved_at=None, declined_at=None).aggregate(total=Sum("amount"))["total"]
    left = reservation.balance - (waiting or 0)
    if left <= 0:
        raise NothingDueError
    amount = left if request.amount is None else request.amount
    if amount > left:
        raise _too_much(reservation, left)
    due = dues.due_now(reservation, at=at)
    if reservation.status in HOLDING and amount + (waiting or 0) < due:
        message = f"A hold needs {currencies.shown(due, reservation.currency)} at least."
        raise ValidationError(param="amount", code="invalid_amount", message=message)
    return amount


def _too_much(reservation: Reservation, left: int) -> ValidationError:
    message = f"{currencies.shown(left, reservation.currency)} are left to pay."
    return ValidationError(param="amount", code="invalid_amount", message=message)


def _check_state(reservation: Reservation, at: datetime) -> None:
    if reservation.is_due(at):
        raise HoldExpiredError
    if not reservation.is_active:
        raise InvalidStateError(kind="reservation", status=reservation.status, wanted=ReservationStatus.CONFIRMED)


def _count(reservation: Reservation, receipt: Receipt, at: datetime, *, by: str) -> list[Command]:
    """Let a receipt count, close what else could take the money, and even out; returns the stored commands."""
    is_new = receipt._state.adding
    receipt.approved_at, receipt.approved_by = at, by
    reservation.amount_collected += receipt.amount
    if is_new:  # stored before it is asked whether money was taken, since it may take that back
        database.insert_together(receipt)
    rows: list[Any] = _close_attempts(reservation, receipt, at)
    rows += balance.even_out(reservation, at=at, by=by, because=f"{receipt.get_method_display().lower()} was taken")
    balance.store(reservation, rows)
    if not is_new:
        database.update_together((receipt, ("approved_at", "approved_by")))
    return [row for row in rows if isinstance(row, Command)]


def _close_attempts(reservation: Reservation, receipt: Receipt, at: datetime) -> list[Command]:
    """Close the attempts of a reservation that money was taken for; what is held may cover what it does not."""
    if receipt.amount < 0 or reservation.balance <= 0:
        return []  # nothing is left to pay: evening out closes them
    rows: list[Command] = []
    for payment in reservation.payments:
        if not payment.is_final and not balance.lands(reservation, payment):
            rows += outcome_steps.release(payment, at, reason="paid another way")
    return rows


def _get_waiting(receipt_id: UUID, *, wanted: str) -> tuple[Receipt, Locked[Reservation]]:
    """Lock a receipt that waits, after its reservation."""
    found = Receipt.objects.get(pk=receipt_id)
    locked = locks.get_reservation_for_update(pk=found.reservation_id)
    found.refresh_from_db(fields=["approved_at", "declined_at"])
    if found.approved_at is not None or found.declined_at is not None:
        status = "approved" if found.approved_at is not None else "declined"
        raise InvalidStateError(kind="receipt", status=status, wanted=wanted)
    found.reservation = locked.row
    return found, locked


def _send(stored: Sequence[Command], locked: Locked[Reservation]) -> AsOf[Reservation]:
    """Send what closes attempts, as far as it goes now; the sweep does the rest."""
    found: AsOf[Reservation] = locked
    for command in stored:
        done = execution.execute(command_id=command.pk)
        found = done.result.as_of if done is not None else found
    return found
