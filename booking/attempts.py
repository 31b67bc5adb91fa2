"""Attempts: pay what is due of a reservation by another payment.

One attempt lives at a time: the reservation's lock sees to it, and a unique index on its live payments.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking import dues, execution, locks, sales
from booking.errors import HoldExpiredError, NothingDueError, PaymentInProgressError
from booking.models import CHANGED_FIELDS, MANAGES, Change, Reservation
from booking.states import HOLDING, ReservationStatus
from common import currencies, database, ids
from common.errors import NotFoundError, ValidationError
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
    change_id: UUID | None = None
    """The open change to pay for; None: what is due of the reservation itself."""
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
    return send(stored.payment, stored.reservation, stored.command)


def send(payment: Payment, reservation: AsOf[Reservation], command: Command | None, *, prefix: str = "") -> Attempt:
    """Send an attempt, and say what came of it.

    By its claimed command; without one go on with what an earlier run has stored. ``prefix`` is where the request has
    the payment's fields, as ``why_failed`` takes it.

    Raises:
        CardError, PaymentRefusedError: The provider refused it.
    """
    done = execution.execute_claimed(command) if command is not None else _resume(payment)
    found = done.result.as_of if done is not None else reservation
    payment = found.row.get_payment(payment.pk)
    if payment.status == PaymentStatus.FAILED:
        raise why_failed(code=payment.failure_code, message=payment.failure_message, prefix=prefix)
    open_ones = payment.commands.filter(kind__in=commands.STARTING, status__in=sorted(COMMAND_OPEN))
    return Attempt(payment=payment, reservation=found, known=not open_ones.exists())


def _resume(payment: Payment) -> execution.Executed | None:
    """Go on with what an earlier run has stored."""
    beginning = payment.commands.filter(kind__in=commands.STARTING, status__in=sorted(COMMAND_OPEN)).first()
    return execution.execute(command_id=beginning.pk) if beginning is not None else None


def find_of_change(reservation: Reservation, change: Change) -> Payment | None:
    """Find the first attempt of a change."""
    return next((payment for payment in reservation.payments if payment.managed_part == change.pk), None)


def begin(
    reservation: Reservation,
    request: Request,
    *,
    amount: int,
    actor: str,
    at: datetime,
    payment_id: UUID | None = None,
) -> tuple[Payment, Command]:
    """Store an attempt of a locked reservation.

    The caller writes the reservation's changed fields.

    Raises:
        NoAccountError, ValidationError: The provider cannot take it.
    """
    payment = _draw_up(reservation, request, payment_id or ids.new_id(), actor, amount, at)
    ends_at = reservation.change.expires_at if request.change_id and reservation.change else None
    command = sales.begin(reservation, payment, actor=actor, reason="another attempt", now=at, ends_at=ends_at)
    reservation.attempts += 1
    shown = reservation.payment
    reservation.know_payments([*reservation.payments, payment])
    reservation.payment = payment if shown is None or request.change_id is None else shown
    database.insert_together(payment, command)
    return payment, command


def _store(operator: Operator, reservation_id: UUID, operation_id: UUID, actor: str, request: Request) -> _Stored:
    """Store the attempt, unless it is there; what is in its way is given up if the request says so."""
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator.pk)
        reservation, at = locked.row, locked.at
        earlier = next((payment for payment in reservation.payments if payment.pk == operation_id), None)
        if earlier is not None:
            return _Stored(reservation=locked, payment=earlier)
        if request.change_id is None:
            amount, live = _due(reservation, request, at), reservation.live_payment
        else:
            amount = _due_for_change(reservation, request.change_id, request, at)
            live = reservation.live_payment_of(request.change_id)
        if live is not None:
            is_same = _is_same(live, request, amount) and reservation.replacing != live.pk
            if request.replaces and not is_same:
                _give_up(reservation, live, at)
            return _Stored(reservation=locked, payment=live, is_in_the_way=not is_same)
        payment, command = begin(reservation, request, amount=amount, actor=actor, at=at, payment_id=operation_id)
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


def _due_for_change(reservation: Reservation, change_id: UUID, request: Request, at: datetime) -> int:
    """Return what an open change has to be paid, in minor units: neither more nor less."""
    change = reservation.changes.filter(pk=change_id).first()
    if change is None:
        raise NotFoundError(kind="change")
    change.check_open(at)
    if not change.amount_due:
        raise NothingDueError
    if request.amount not in (None, change.amount_due):
        message = f"{currencies.shown(change.amount_due, reservation.currency)} are to be paid for this change."
        raise ValidationError(param="amount", code="invalid_amount", message=message)
    return change.amount_due


def _is_being_captured(reservation: Reservation) -> bool:
    """Whether the money that confirmed it was held, and has not arrived yet."""
    payment = reservation.payment
    return payment is not None and payment.status == PaymentStatus.PROCESSING and payment.held_at is not None


def _is_same(live: Payment, request: Request, amount: int) -> bool:
    wanted = (request.provider, request.payment_method_id, amount)
    is_of_it = live.managed_part == request.change_id
    return is_of_it and (live.provider, live.payment_method_id, live.amount) == wanted


def _give_up(reservation: Reservation, live: Payment, at: datetime) -> None:
    """Have the live attempt closed: its end means nothing for the places, and its hold is not waited for."""
    reservation.replacing = live.pk
    rows = outcome_steps.release(live, at, reason="given up for another attempt")
    database.update_together((reservation, CHANGED_FIELDS))
    database.insert_together(*rows)


def _draw_up(
    reservation: Reservation, request: Request, payment_id: UUID, actor: str, amount: int, at: datetime
) -> Payment:
    mode = accounts.mode_here(request.provider).value
    account = accounts.taking_sales(operator=reservation.operator_id, provider=request.provider, mode=mode).first()
    if account is None:
        raise NoAccountError(provider=request.provider, param="provider")
    limits.check_amount(provider=request.provider, amount=amount, currency=reservation.currency)
    return Payment(
        id=payment_id,
        operator_id=reservation.operator_id,
        provider=request.provider,
        provider_account=account.reference,
        amount=amount,
        currency=reservation.currency,
        capture_method=_capture_method(reservation, request),
        payment_method_id=request.payment_method_id,
        managed_by=MANAGES,
        managed_id=reservation.pk,
        managed_part=request.change_id,
        status=PaymentStatus.PROCESSING if request.payment_method_id else PaymentStatus.REQUIRES_CONFIRMATION,
        created_at=at,
        changed_at=at,
        changed_by=actor,
        changed_because="another attempt",
    )


def _capture_method(reservation: Reservation, request: Request) -> CaptureMethod:
    """Hold for a change, and for a hold what was to be held, where the provider can; take all else at once."""
    can_hold = registry.get(request.provider).capabilities.longest_hold is not None
    if request.change_id is not None:
        return CaptureMethod.MANUAL if can_hold else CaptureMethod.AUTOMATIC
    if reservation.status in HOLDING and can_hold:
        return CaptureMethod(reservation.payments[0].capture_method) if reservation.payments else CaptureMethod.MANUAL
    return CaptureMethod.AUTOMATIC


def _go_on(payment: Payment) -> None:
    """Send what is open of an attempt, in its order: so the provider is asked what came of it."""
    for command in payment.commands.filter(status__in=sorted(COMMAND_OPEN)).order_by("id"):
        execution.execute(command_id=command.pk)
