"""The one door: :func:`handle` makes every payment's change to a reservation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import payments.outcomes
from booking import balance, completing, holds, late_money, locks, seats
from booking.models import CHANGED_FIELDS, Adjustment, History, Reservation
from booking.states import ChangeStatus, OnDecline, PayBy, ReservationStatus
from catalogue import inventory
from common import database
from common.locking import AsOf, Locked
from payments import dispute_outcomes, outcome_steps, payment_outcomes, refund_outcomes, refund_steps
from payments.errors import UnknownPaymentError
from payments.models import Payment
from payments.outcome_steps import HandlingResult
from payments.outcome_types import Effect, Outcome, PaymentOutcome, ProviderDispute
from payments.payment_outcomes import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationResult(HandlingResult):
    """What an outcome changed, with the reservation as it is now."""

    reservation: Reservation
    at: datetime
    """When it was locked, by the database's clock."""

    @property
    def as_of(self) -> AsOf[Reservation]:
        """The reservation, with the time."""
        return AsOf(row=self.reservation, at=self.at)


def handle(*, outcome: PaymentOutcome) -> HandlingResult:
    """Handle a provider's outcome of any payment, with or without a reservation.

    The lock of the reservation tells which it is. Must be called inside a transaction. Locks reservation → payment →
    slot.

    Raises:
        UnknownPaymentError: There is no such payment (yet).
        OutcomeMismatchError: It contradicts the payment: another amount, currency, account or object.
    """
    database.require_transaction()
    found = locks.find_reservation_of_payment_for_update(**outcome_steps.named(outcome))
    if outcome.dispute is not None:
        return _handle_dispute(found, outcome, outcome.dispute)
    return _handle(found, outcome) if found is not None else payments.outcomes.handle(outcome=outcome)


def _handle_dispute(
    found: Locked[Reservation] | None, outcome: PaymentOutcome, theirs: ProviderDispute
) -> HandlingResult:
    """Record a dispute; when it ends, what it barred may go back."""
    result = dispute_outcomes.apply(outcome=outcome, theirs=theirs)
    if found is None or result.effect is not Effect.APPLIED or not theirs.is_closed:
        return result
    reservation, at = found.row, found.at
    rows = balance.even_out(reservation, at=at, by=outcome.actor, because=outcome.reason)
    balance.store(reservation, rows)
    return result


def handle_reserved(*, outcome: PaymentOutcome) -> ReservationResult:
    """Handle a provider's outcome of a reservation's payment.

    Locks and raises as :func:`handle`.
    """
    database.require_transaction()
    found = locks.find_reservation_of_payment_for_update(**outcome_steps.named(outcome))
    if found is None:
        raise UnknownPaymentError(outcome_steps.reference(outcome))
    return _handle(found, outcome)


def _handle(found: Locked[Reservation], outcome: PaymentOutcome) -> ReservationResult:
    """Apply an outcome to a locked reservation and its payments, and write them back.

    "Captured" counts only with an event in hand (P3); without one the payment is ``processing`` until the event comes.
    """
    reservation, at = found.row, found.at
    payment = outcome_steps.pick(reservation.payments, outcome)
    outcome_steps.check_provider(payment, outcome)
    if outcome_steps.is_of_refund(outcome):
        return _handle_refund(reservation, payment, outcome, at)
    before = payment.amount_captured
    change = payment_outcomes.apply(payment, outcome, at=at)
    reservation.amount_proven += payment.amount_captured - before
    left = _go_on_with_change(reservation, payment, change, outcome, at)
    effect, wanted = _react(reservation, payment, change, outcome, at)
    holds.shorten(reservation, at=at)
    own = (payment, outcome_steps.changed_fields(change, outcome, effect))
    others = balance.refunding(wanted, but=payment)
    fields = CHANGED_FIELDS if payment.managed_part is None else completing.FIELDS
    following = outcome_steps.write(outcome, at, (reservation, fields), own, *others)
    database.insert_together(*wanted)
    inventory.release(left)
    return ReservationResult(reservation=reservation, at=at, payment=payment, effect=effect, next_command=following)


def _go_on_with_change(
    reservation: Reservation, payment: Payment, told: Change, outcome: PaymentOutcome, at: datetime
) -> Sequence[inventory.Party]:
    """Do, or end, the open change that a payment is of; returns what places are left.

    It is done when what is due for it is held, or has come; past its time, or with its attempt lost, it ends. What came
    for a change that is over is surplus, if the reservation itself has nothing left to pay.
    """
    change = reservation.change
    if change is None or change.pk != payment.managed_part or reservation.replacing == payment.pk:
        return []
    ended: Any = {"at": at, "by": outcome.actor, "because": outcome.reason}
    match told:
        case Change.HELD | Change.CAPTURED | Change.LATE if change.is_due(at):
            return seats.end_change(reservation, ChangeStatus.EXPIRED, **ended)
        case Change.HELD:
            left = completing.complete(reservation, change, **ended)
            completing.capture(payment, at=at, by=outcome.actor)
            return left
        case Change.CAPTURED | Change.LATE if payment.amount_captured >= change.amount_due:
            return completing.complete(reservation, change, **ended)
        case Change.LOST if change.on_decline == OnDecline.RELEASE:
            over = ChangeStatus.EXPIRED if change.is_due(at) else ChangeStatus.FAILED
            return seats.end_change(reservation, over, **ended)
    return []


def _react(
    reservation: Reservation, payment: Payment, change: Change, outcome: PaymentOutcome, at: datetime
) -> tuple[Effect, list[Any]]:
    """Decide what the payment's change means for the reservation; return the rows to store."""
    effect = Effect.APPLIED
    match change:
        case Change.STALE:
            return Effect.STALE, []
        case Change.CAPTURED | Change.LATE if not reservation.is_active:
            return late_money.seat_or_refund(reservation, at=at)
        case Change.CAPTURED | Change.LATE:
            _note_part(reservation, outcome, at)
        case Change.HELD if _is_awaited(reservation, payment):
            reservation.move(ReservationStatus.PENDING, at=at, by=outcome.actor, because=outcome.reason)
        case Change.LOST:
            return Effect.APPLIED, _lost(reservation, payment, outcome, at)
        case Change.PROGRESSED:
            _wait_for_evidence(reservation, outcome)
        case Change.NONE:
            _wait_for_evidence(reservation, outcome)
            effect = Effect.ALREADY
    wanted = balance.even_out(reservation, at=at, by=outcome.actor, because=outcome.reason)
    return balance.effect_of(wanted) or effect, wanted


def _note_part(reservation: Reservation, outcome: PaymentOutcome, at: datetime) -> None:
    """Note that only a part of the money was taken: the places are kept until a person decides."""
    if reservation.status == ReservationStatus.CONFIRMED and reservation.amount_proven < reservation.amount_owed:
        told = balance.part_paid(reservation)
        History.noting(reservation, at=at, actor=outcome.actor, reason=told).save(force_insert=True)


def _is_awaited(reservation: Reservation, payment: Payment) -> bool:
    """Whether a hold waits for this attempt, and nobody has given it up for another.

    It holds all that is due at once, or it would not have been begun.
    """
    return reservation.status == ReservationStatus.AWAITING_PAYMENT and reservation.replacing != payment.pk


def _lost(reservation: Reservation, payment: Payment, outcome: PaymentOutcome, at: datetime) -> list[Any]:
    """No money will come of an attempt: free the places that hang on it, and close what may still be open."""
    if _hangs_on(reservation, payment):
        over = ReservationStatus.EXPIRED if reservation.is_due(at) else ReservationStatus.FAILED
        leaving = seats.leave(reservation, at=at, by=outcome.actor, because=outcome.reason)
        reservation.move(over, at=at, by=outcome.actor, because=outcome.reason)
        inventory.release(leaving)
    closing = outcome_steps.close_failed(payment, outcome, at)
    return [*closing, *balance.even_out(reservation, at=at, by=outcome.actor, because=outcome.reason)]


def _hangs_on(reservation: Reservation, payment: Payment) -> bool:
    """Whether the places are given up with an attempt that is lost.

    A hold with its attempt, unless another one is to follow; what is sold only with the capture that confirmed it, and
    only while no other money was taken. Nothing hangs on an attempt for a change.
    """
    if payment.managed_part is not None:
        return False
    match reservation.status:
        case ReservationStatus.AWAITING_PAYMENT:
            return reservation.on_decline == OnDecline.RELEASE and reservation.replacing != payment.pk
        case ReservationStatus.PENDING:
            return payment.held_at is not None and reservation.pay_by == PayBy.PROVIDER
        case ReservationStatus.CONFIRMED:
            had_money = reservation.amount_collected or any(other.amount_captured for other in reservation.payments)
            return payment.held_at is not None and not had_money
    return False


def _wait_for_evidence(reservation: Reservation, outcome: PaymentOutcome) -> None:
    """Keep the places of money that the provider says it took, until its event comes or the ceiling is reached."""
    hearsay = outcome.kind is Outcome.CAPTURED and outcome.event_id is None
    if hearsay and reservation.status == ReservationStatus.AWAITING_PAYMENT:
        reservation.expires_at = holds.latest_end(reservation)


def _handle_refund(
    reservation: Reservation, payment: Payment, outcome: PaymentOutcome, at: datetime
) -> ReservationResult:
    """Apply an outcome of a refund; one that we did not ask for lowers what is owed, as far as it was no surplus."""
    surplus = -reservation.balance
    before = payment.amount_refunded
    found = refund_outcomes.apply(payment, outcome, at=at)
    reservation.amount_proven -= payment.amount_refunded - before
    adjusted: list[Adjustment] = []
    if found.made_there is not None:
        adjusted = balance.goodwill(reservation, found.made_there, surplus=surplus, at=at, by=outcome.actor)
    elif found.failed_there is not None:
        adjusted = balance.take_goodwill_back(reservation, found.failed_there, at=at, by=outcome.actor)
    database.insert_together(*adjusted)  # before it is asked by them whether the guest keeps the places
    wanted = balance.even_out(reservation, at=at, by=outcome.actor, because=outcome.reason)
    own, others = (payment, refund_steps.CHANGED_FIELDS), balance.refunding(wanted, but=payment)
    following = outcome_steps.write(outcome, at, (reservation, CHANGED_FIELDS), own, *others)
    database.insert_together(*wanted)
    return ReservationResult(
        reservation=reservation, at=at, payment=payment, effect=found.effect, next_command=following
    )
