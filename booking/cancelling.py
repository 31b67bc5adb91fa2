"""Cancel: free the places, and keep what the terms say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking import balance, execution, locks, seats, surplus
from booking.errors import QuoteChangedError
from booking.models import Reservation
from booking.states import HOLDING, ReservationStatus
from catalogue import inventory, terms
from common import currencies, database
from common.errors import ValidationError
from common.locking import AsOf
from common.states import InvalidStateError
from payments import execution as payment_execution
from payments.models import Command
from payments.states import CommandKind, PaymentStatus
from tenants.models import Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who cancels, and what is to come of the money."""

    expected_refund: int | None = None
    """What the guest was told to get back, in minor units; None: nobody was told."""
    fee: int | None = None
    """What a person keeps, in minor units; None: what the terms say."""
    is_by_operator: bool = False
    """Nothing is kept of what the operator cancels."""


GUEST = Wish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a cancellation comes to, in minor units."""

    fee: int = 0
    refund: int = 0
    on_account: int = 0
    """Taken off a reseller's account."""
    rules: Sequence[terms.Rule] = ()
    """The terms, as they were sold."""


def quoted(reservation: Reservation, *, at: datetime, wish: Wish = GUEST) -> Quote:
    """Say what a cancellation comes to at a time; nothing is stored.

    Kept is never more than the money in hand or being captured. Of what is on hold nothing is kept.

    Raises:
        InvalidStateError: It is over, or it is sold and nothing says how it may be cancelled.
    """
    check_active(reservation, at=at)
    rules = reservation.terms or []
    if reservation.status in HOLDING:
        return Quote(rules=rules)
    in_hand = reservation.amount_owed - reservation.balance
    money = in_hand + _being_captured(reservation)
    may_keep = fee(reservation, at=at, wish=wish, amount=reservation.amount_owed, units=reservation.places)
    kept = min(may_keep, max(0, money))
    back = surplus.how_back(reservation, max(0, in_hand - kept))
    landing = max(0, money - kept) - max(0, in_hand - kept)
    return Quote(fee=kept, refund=back.refund + back.by_hand + landing, on_account=back.on_account, rules=rules)


def cancel(
    *,
    operator: Operator,
    reservation_id: UUID,
    operation_id: UUID,
    actor: str,
    reason: str,
    wish: Wish = GUEST,
) -> AsOf[Reservation]:
    """Cancel a reservation and free its places.

    What is not kept goes back. ``operation_id`` becomes the id of the adjustment that ends what is owed: a second run
    with it goes on from where the first stopped. Must be called outside a transaction. If a hold is still in flight,
    its release waits for it.

    Raises:
        NotFoundError: The operator has no such reservation.
        InvalidStateError: It is over, or it is sold and nothing says how it may be cancelled.
        QuoteChangedError: It comes to another refund than was expected.
        ValidationError: More is to be kept than was sold.
    """
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator.pk)
        if _is_own(locked.row, operation_id):
            release = Command.objects.filter(payment__in=locked.row.payments, kind=CommandKind.CANCEL).last()
        else:
            release = _cancel(locked.row, operation_id, actor, reason, wish, now=locked.at)
    done = execution.execute(command_id=release.pk) if release is not None else None
    return done.result.as_of if done is not None else locked


def _is_own(reservation: Reservation, operation_id: UUID) -> bool:
    """Tell whether an earlier run of this operation cancelled the reservation."""
    over = reservation.status == ReservationStatus.CANCELLED
    return over and reservation.adjustments.filter(pk=operation_id).exists()


def _cancel(
    reservation: Reservation, operation_id: UUID, actor: str, reason: str, wish: Wish, *, now: datetime
) -> Command | None:
    found = quoted(reservation, at=now, wish=wish)
    check_expected(reservation, found, wish)
    ended = balance.end(reservation, at=now, by=actor, because=reason, kept=found.fee, operation_id=operation_id)
    leaving = seats.leave(reservation, at=now, by=actor, because=reason)
    reservation.move(ReservationStatus.CANCELLED, at=now, by=actor, because=reason)
    rows = balance.even_out(reservation, at=now, by=actor, because=reason)
    balance.store(reservation, [ended, *rows])
    inventory.release(leaving)
    stored = [row for row in rows if isinstance(row, Command)]
    release = next((command for command in stored if command.kind == CommandKind.CANCEL), None)
    for command in stored:
        if command is not release:
            payment_execution.queue(command_id=command.pk)
    return release


def check_active(reservation: Reservation, *, at: datetime) -> None:
    """Refuse for what is over, by a sweep or by its time.

    Raises:
        InvalidStateError: It holds no places.
    """
    if not reservation.is_active or reservation.is_due(at):
        status = reservation.status_at(at)
        raise InvalidStateError(kind="reservation", status=status, wanted=ReservationStatus.CANCELLED)


def check_expected(reservation: Reservation, quote: Quote, wish: Wish) -> None:
    """Refuse another refund than the guest was told.

    Raises:
        QuoteChangedError: It is another by now.
    """
    if wish.expected_refund is not None and wish.expected_refund != quote.refund:
        raise QuoteChangedError(refund=quote.refund, currency=reservation.currency)


def fee(reservation: Reservation, *, at: datetime, wish: Wish, amount: int, units: int) -> int:
    """Return what may be kept of an amount for some units.

    In minor units. By the operator nothing, by a person so much, else by the terms.

    Raises:
        InvalidStateError: It was sold without terms.
        ValidationError: A person keeps more than the amount.
    """
    if wish.is_by_operator:
        return 0
    if wish.fee is not None:
        if wish.fee > amount:
            most = currencies.shown(amount, reservation.currency)
            raise ValidationError(param="fee", code="invalid_amount", message=f"At most {most} can be kept.")
        return wish.fee
    if reservation.terms is None:
        raise InvalidStateError(kind="reservation", status=reservation.status, wanted=ReservationStatus.CANCELLED)
    stage = max(reservation.terms_stage, terms.stage(reservation.terms, starts_at=reservation.starts_at, now=at))
    return terms.fee(reservation.terms, at_stage=stage, amount=amount, units=units)


def _being_captured(reservation: Reservation) -> int:
    """Add up what is asked for of holds and has not come; what only waits for the guest is closed, and not counted."""
    landing = [
        payment for payment in reservation.payments
        if payment.status == PaymentStatus.PROCESSING and payment.held_at is not None
    ]  # fmt: skip
    return sum(min(payment.amount, reservation.amount_owed) for payment in landing)
