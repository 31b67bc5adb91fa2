"""Confirm: the hold becomes a sale, with a stored capture."""

from datetime import datetime
from uuid import UUID

from booking import execution, locks, on_account
from booking.errors import HoldExpiredError
from booking.models import CHANGED_FIELDS, Reservation
from booking.states import PayBy, ReservationStatus
from common import database
from common.locking import AsOf
from common.states import InvalidStateError
from payments import commands
from payments.errors import why_failed
from payments.models import Command, Payment
from payments.payment_outcomes import CHANGED_FIELDS as PAYMENT_FIELDS
from payments.states import CommandKind, PaymentStatus
from tenants.models import Operator


def confirm(
    *, operator: Operator, reservation_id: UUID, operation_id: UUID, actor: str, reason: str
) -> AsOf[Reservation]:
    """Confirm a pending reservation, and capture its money if it is held.

    Held is what is owed by now, or more: of more, the rest is released.

    ``operation_id`` becomes the id of the capture command: a second run with it goes on from where the first stopped.
    Must be called outside a transaction. It is ``paid`` only when the provider's event comes.

    Raises:
        NotFoundError: The operator has no such reservation.
        HoldExpiredError: Its time is over, by the database's clock, or the bank has let the hold go.
        InvalidStateError: It is not pending.
        CardError, PaymentRefusedError: The provider refused the capture; the reservation is ``failed``.
    """
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator.pk)
        if locked.row.payment is None or _is_held_without_money(locked.row):
            _confirm_unpaid(locked.row, actor, reason, now=locked.at)
            return locked
        earlier = _find_own(locked.row, operation_id)
        command = earlier or _confirm(locked.row, locked.row.payment, operation_id, actor, reason, now=locked.at)
    done = None
    if earlier is None:
        done = execution.execute_claimed(command)
    elif earlier.is_open:
        done = execution.execute(command_id=earlier.pk)
    return _result(done.result.as_of if done is not None else locked)


def _result(found: AsOf[Reservation]) -> AsOf[Reservation]:
    reservation, payment = found.row, found.row.payment
    if _is_let_go(reservation, payment):
        raise HoldExpiredError
    if payment is not None and reservation.status == ReservationStatus.FAILED:
        raise why_failed(code=payment.failure_code, message=payment.failure_message, prefix="payment.")
    return found


def _is_let_go(reservation: Reservation, payment: Payment | None) -> bool:
    """Whether it failed because the bank holds its money no longer; nobody has declined anything."""
    if payment is None:
        return False
    ended = payment.status == PaymentStatus.CANCELED or payment.failure_code == HoldExpiredError.code
    return reservation.status == ReservationStatus.FAILED and payment.held_at is not None and ended


def _is_held_without_money(reservation: Reservation) -> bool:
    """Whether no provider holds its money, though a card may have been tried."""
    shown = reservation.payment
    return reservation.pay_by != PayBy.PROVIDER and (shown is None or shown.held_at is None)


def _find_own(reservation: Reservation, operation_id: UUID) -> Command | None:
    """Find the command of an earlier run; looked for only where it can be."""
    if reservation.status in (ReservationStatus.AWAITING_PAYMENT, ReservationStatus.PENDING):
        return None
    return Command.objects.filter(pk=operation_id, payment__in=reservation.payments).first()


def _check(reservation: Reservation, now: datetime) -> None:
    is_over = reservation.is_due(now) or reservation.status == ReservationStatus.EXPIRED
    if is_over or _is_let_go(reservation, reservation.payment):
        raise HoldExpiredError
    if reservation.status != ReservationStatus.PENDING:  # money that came in part confirms by another door
        raise InvalidStateError(kind="reservation", status=reservation.status, wanted=ReservationStatus.CONFIRMED)


def _confirm_unpaid(reservation: Reservation, actor: str, reason: str, *, now: datetime) -> None:
    """Sell what is held without money; what is sold on account stands on the account from now on.

    A second run finds it confirmed, and that is all that it was to do.
    """
    if reservation.status == ReservationStatus.CONFIRMED:
        return
    _check(reservation, now)
    reservation.move(ReservationStatus.CONFIRMED, at=now, by=actor, because=reason)
    if reservation.pay_by == PayBy.ACCOUNT and reservation.amount_owed:
        put = on_account.put(reservation, reservation.amount_owed, at=now, by=actor, reason="sold on account")
        database.insert_together(put)
    database.update_together((reservation, CHANGED_FIELDS))


def _confirm(
    reservation: Reservation, payment: Payment, operation_id: UUID, actor: str, reason: str, *, now: datetime
) -> Command:
    _check(reservation, now)
    reservation.move(ReservationStatus.CONFIRMED, at=now, by=actor, because=reason)
    if payment.capture_before is not None and payment.capture_before <= now:
        raise HoldExpiredError
    payment.move(PaymentStatus.PROCESSING, at=now, by=actor, because="capture requested")
    command = commands.new(
        payment=payment,
        kind=CommandKind.CAPTURE,
        requested_by=actor,
        reason=reason,
        now=now,
        command_id=operation_id,
        amount=min(payment.amount, reservation.amount_owed),
    )
    commands.claimed(command, now=now)
    database.update_together((reservation, CHANGED_FIELDS), (payment, PAYMENT_FIELDS))
    database.insert_together(command)
    return command
