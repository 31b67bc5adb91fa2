"""Attempts: pay what is due of a reservation by another payment.

One attempt lives at a time: the reservation's lock sees to it, and a unique index on its live payments.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking import dues, execution, locks, sales
from booking.errors import HoldExpiredError, NothingDueError, PaymentInProgressError
from booking.models import CHANGED_FIELDS, MANAGES, Reservation
from booking.states import HOLDING, ReservationStatus
from common import currencies, database
from common.errors import ValidationError
from common.locking import AsOf
from common.states import InvalidStateError
from payments import accounts, commands, limits, outcome_steps
from payments.errors import NoAccountError, why_failed
from payments.models import Command, Payment
from payments.providers import registry
from payments.states import COMMAND_OPEN, CaptureMethod, PaymentStatus
from tenants.models import Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How to pay."""

    provider: str
    payment_method_id: str = ""
    amount: int | None = None
    """In minor units; None: what is due."""
    replaces: bool = False
    """Whether a live attempt is given up for this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt, and its reservation; ``known``: the provider has answered."""

    payment: Payment
    reservation: AsOf[Reservation]
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """The attempt as it was found or stored under the lock."""

    reservation: AsOf[Reservation]
    payment: Payment
    command: Command | None = None
    """Claimed; None where the attempt was there before."""
    is_in_the_way: bool = False


def attempt(*, operator: Operator, reservation_id: UUID, operation_id: UUID, actor: str, request: Request) -> Attempt:
    """Pay what is due by another payment.

    If the same one lives already, it is the answer. ``operation_id`` becomes the id of the payment: a second run with
    it goes on from where the first one stopped. Must be called outside a transaction. Another live attempt is asked for
    at the provider, and given up if the request says so; the new one is stored only when the old one is over.

    Raises:
        NotFoundError: The operator has no such reservation.
        HoldExpiredError, InvalidStateError: It holds no places.
        NothingDueError: Nothing is left to pay, or it is held already.
        PaymentInProgressError: Another attempt lives, or it is not known yet what came of it.
        NoAccountError, ValidationError: The provider cannot take it.
        CardError, PaymentRefusedError: The provider refused it.
    """
    stored = _store(operator, reservation_id, operation_id, actor, request)
    if stored.is_in_the_way:
        _go_on(stored.payment)
        stored = _store(operator, reservation_id, operation_id, actor, request)
    if stored.is_in_the_way:
        raise PaymentInProgressError
    done = execution.execute_claimed(stored.command) if stored.command is not None else _resume(stored.payment)
    found = done.result.as_of if done is not None else stored.reservation
    payment = found.row.get_payment(stored.payment.pk)
    if payment.status == PaymentStatus.FAILED:
        raise why_failed(code=payment.failure_code, message=payment.failure_message)
    open_ones = payment.commands.filter(kind__in=commands.STARTING, status__in=sorted(COMMAND_OPEN))
    return Attempt(payment=payment, reservation=found, known=not open_ones.exists())


def _store(operator: Operator, reservation_id: UUID, operation_id: UUID, actor: str, request: Request) -> _Stored:
    """Store the attempt, unless it is there; what is in its way is given up if the request says so."""
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator.pk)
        reservation, at = locked.row, locked.at
        earlier = next((payment for payment in reservation.payments if payment.pk == operation_id), None)
        if earlier is not None:
            return _Stored(reservation=locked, payment=earlier)
        amount = _due(reservation, request, at)
        live = reservation.live_payment
        if live is not None:
            is_same = _is_same(live, request, amount) and reservation.replacing != live.pk
            if request.replaces and not is_same:
                _give_up(reservation, live, at)
            return _Stored(reservation=locked, payment=live, is_in_the_way=not is_same)
        payment = _draw_up(operator, reservation, operation_id, actor, request, amount, at)
        command = sales.begin(reservation, payment, actor=actor, reason="another attempt", now=at)
        reservation.attempts += 1
        reservation.know_payments([*reservation.payments, payment])
        reservation.payment = payment
        database.insert_together(payment, command)
        database.update_together((reservation, CHANGED_FIELDS))
    return _Stored(reservation=locked, payment=payment, command=command)


def _due(reservation: Reservation, request: Request, at: datetime) -> int:
    """Return what this attempt has to pay, in minor units."""
    if reservation.is_due(at):
        raise HoldExpiredError
    if not reservation.is_active:
        raise InvalidStateError(kind="reservation", status=reservation.status, wanted=ReservationStatus.PAID)
    left, due = reservation.balance, dues.due_now(reservation, at=at)
    amount = due if request.amount is None else request.amount
    shown = reservation.payment
    is_held = shown is not None and shown.status == PaymentStatus.ON_HOLD
    if left <= 0 or amount <= 0 or is_held or _is_being_captured(reservation):
        raise NothingDueError
    if amount > left or (reservation.status in HOLDING and amount < due):
        message = f"{currencies.shown(left, reservation.currency)} are left to pay."
        raise ValidationError(param="amount", code="invalid_amount", message=message)
    return amount


def _is_being_captured(reservation: Reservation) -> bool:
    """Whether the money that confirmed it was held, and has not arrived yet."""
    payment = reservation.payment
    return payment is not None and payment.status == PaymentStatus.PROCESSING and payment.held_at is not None


def _is_same(live: Payment, request: Request, amount: int) -> bool:
    wanted = (request.provider, request.payment_method_id, amount)
    return (live.provider, live.payment_method_id, live.amount) == wanted


def _give_up(reservation: Reservation, live: Payment, at: datetime) -> None:
    """Have the live attempt closed: its end means nothing for the places, and its hold is not waited for."""
    reservation.replacing = live.pk
    rows = outcome_steps.release(live, at, reason="given up for another attempt")
    database.update_together((reservation, CHANGED_FIELDS))
    database.insert_together(*rows)


def _draw_up(
    operator: Operator,
    reservation: Reservation,
    operation_id: UUID,
    actor: str,
    request: Request,
    amount: int,
    at: datetime,
) -> Payment:
    mode = accounts.mode_here(request.provider).value
    account = accounts.taking_sales(operator=operator, provider=request.provider, mode=mode).first()
    if account is None:
        raise NoAccountError(provider=request.provider, param="provider")
    limits.check_amount(provider=request.provider, amount=amount, currency=reservation.currency)
    return Payment(
        id=operation_id,
        operator=operator,
        provider=request.provider,
        provider_account=account.reference,
        amount=amount,
        currency=reservation.currency,
        capture_method=_capture_method(reservation, request.provider),
        payment_method_id=request.payment_method_id,
        managed_by=MANAGES,
        managed_id=reservation.pk,
        status=PaymentStatus.PROCESSING if request.payment_method_id else PaymentStatus.REQUIRES_CONFIRMATION,
        created_at=at,
        changed_at=at,
        changed_by=actor,
        changed_because="another attempt",
    )


def _capture_method(reservation: Reservation, provider: str) -> CaptureMethod:
    """Hold for a hold what was to be held, where the provider can; take all that comes later at once."""
    can_hold = registry.get(provider).capabilities.longest_hold is not None
    if reservation.status in HOLDING and can_hold:
        return CaptureMethod(reservation.payments[0].capture_method) if reservation.payments else CaptureMethod.MANUAL
    return CaptureMethod.AUTOMATIC


def _go_on(payment: Payment) -> None:
    """Send what is open of an attempt, in its order: so the provider is asked what came of it."""
    for command in payment.commands.filter(status__in=sorted(COMMAND_OPEN)).order_by("id"):
        execution.execute(command_id=command.pk)


def _resume(payment: Payment) -> execution.Executed | None:
    """Go on with what an earlier run has stored."""
    beginning = payment.commands.filter(kind__in=commands.STARTING, status__in=sorted(COMMAND_OPEN)).first()
    return execution.execute(command_id=beginning.pk) if beginning is not None else None
