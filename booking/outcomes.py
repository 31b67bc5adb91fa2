"""The one door: :func:`handle` makes every payment's change to a reservation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import payments.outcomes
from booking import holds, late_money, locks
from booking.models import CHANGED_FIELDS, Reservation
from booking.states import ReservationStatus
from catalogue import inventory
from common import currencies, database
from common.locking import AsOf, Locked
from payments import commands, dispute_outcomes, outcome_steps, payment_outcomes, refund_outcomes, refund_steps
from payments.errors import UnknownPaymentError
from payments.outcome_steps import HandlingResult
from payments.outcome_types import Effect, Outcome, PaymentOutcome
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
    if outcome.dispute is not None:
        return dispute_outcomes.apply(outcome=outcome, theirs=outcome.dispute)
    found = _find(outcome)
    return _handle(found, outcome) if found is not None else payments.outcomes.handle(outcome=outcome)


def handle_reserved(*, outcome: PaymentOutcome) -> ReservationResult:
    """Handle a provider's outcome of a reservation's payment.

    Locks and raises as :func:`handle`.
    """
    database.require_transaction()
    found = _find(outcome)
    if found is None:
        raise UnknownPaymentError(outcome_steps.reference(outcome))
    return _handle(found, outcome)


def _find(outcome: PaymentOutcome) -> Locked[Reservation] | None:
    return locks.find_reservation_for_update(**outcome_steps.named(outcome, prefix="payment__"))


def _handle(found: Locked[Reservation], outcome: PaymentOutcome) -> ReservationResult:
    """Apply an outcome to a locked reservation and its payment, and write both back.

    "Captured" counts only with an event in hand (P3); without one the payment is ``processing`` until the event comes.
    """
    reservation, payment, at = found.row, found.row.payment, found.at
    outcome_steps.check_provider(payment, outcome)
    if outcome_steps.is_of_refund(outcome):
        return _handle_refund(reservation, outcome, at)
    change = payment_outcomes.apply(payment, outcome, at=at)
    effect, wanted = _react(reservation, change, outcome, at)
    holds.shorten(reservation, at=at)
    payment_fields = outcome_steps.changed_fields(change, outcome, effect)
    following = outcome_steps.write(outcome, at, (reservation, CHANGED_FIELDS), (payment, payment_fields))
    database.insert_together(*wanted)
    return ReservationResult(reservation=reservation, at=at, payment=payment, effect=effect, next_command=following)


def _react(reservation: Reservation, change: Change, outcome: PaymentOutcome, at: datetime) -> tuple[Effect, list[Any]]:
    """Decide what the payment's change means for the reservation; return the rows to store."""
    match change:
        case Change.HELD:
            if reservation.status == ReservationStatus.AWAITING_PAYMENT:
                reservation.move(ReservationStatus.PENDING, at=at, by=outcome.actor, because=outcome.reason)
                return Effect.APPLIED, []
            return Effect.APPLIED, _release(reservation, at)
        case Change.CAPTURED if reservation.is_active:
            _taken(reservation, outcome, at)
            return Effect.APPLIED, []
        case Change.CAPTURED:
            return late_money.seat_or_refund(reservation, at=at)
        case Change.LATE:
            return Effect.REFUNDING, late_money.refund(reservation, at=at, why="the payment was closed already")
        case Change.LOST:
            return Effect.APPLIED, _lost(reservation, outcome, at)
        case Change.PROGRESSED:
            _wait_for_evidence(reservation, outcome)
            return Effect.APPLIED, _close_unneeded(reservation, outcome, at)
        case Change.STALE:
            return Effect.STALE, []
    _wait_for_evidence(reservation, outcome)
    return Effect.ALREADY, _close_unneeded(reservation, outcome, at)


def _taken(reservation: Reservation, outcome: PaymentOutcome, at: datetime) -> None:
    """Note money that was taken: all of it pays; of a part of it the places are kept until a person decides."""
    payment = reservation.payment
    if payment.amount_captured == reservation.amount:
        reservation.move(ReservationStatus.PAID, at=at, by=outcome.actor, because=outcome.reason)
        return
    part, whole = (currencies.shown(amount, payment.currency) for amount in (payment.amount_captured, payment.amount))
    because = f"{part} of {whole} were captured"
    if reservation.status == ReservationStatus.CONFIRMED:
        reservation.note(at=at, actor=outcome.actor, reason=because).save(force_insert=True)
    else:
        reservation.move(ReservationStatus.CONFIRMED, at=at, by=outcome.actor, because=because)


def _release(reservation: Reservation, at: datetime) -> list[Any]:
    """Let go of a hold that came too late for its reservation (P7)."""
    if reservation.is_active:
        return []
    return outcome_steps.release(reservation.payment, at, reason="a hold for a reservation that is over")


def _close_unneeded(reservation: Reservation, outcome: PaymentOutcome, at: datetime) -> list[Any]:
    """Close a payment that was begun, and can still take money, for a reservation that was over by then."""
    begun = outcome.command is not None and outcome.command.kind in commands.STARTING and outcome.payment is not None
    return _release(reservation, at) if begun and not reservation.payment.is_final else []


def _lost(reservation: Reservation, outcome: PaymentOutcome, at: datetime) -> list[Any]:
    """No money will come: free the places, and close what may still be open at the provider."""
    if reservation.is_active:
        over = ReservationStatus.EXPIRED if reservation.is_due(at) else ReservationStatus.FAILED
        reservation.move(over, at=at, by=outcome.actor, because=outcome.reason)
        inventory.release([reservation])
    return outcome_steps.close_failed(reservation.payment, outcome, at)


def _wait_for_evidence(reservation: Reservation, outcome: PaymentOutcome) -> None:
    """Keep the places of money that the provider says it took, until its event comes or the ceiling is reached."""
    hearsay = outcome.kind is Outcome.CAPTURED and outcome.event_id is None
    if hearsay and reservation.status == ReservationStatus.AWAITING_PAYMENT:
        reservation.expires_at = holds.latest_end(reservation)


def _handle_refund(reservation: Reservation, outcome: PaymentOutcome, at: datetime) -> ReservationResult:
    payment = reservation.payment
    effect = refund_outcomes.apply(payment, outcome, at=at)
    if payment.amount_refunded == payment.amount_captured > 0:
        _returned(reservation, outcome, at)
    following = outcome_steps.write(outcome, at, (reservation, CHANGED_FIELDS), (payment, refund_steps.CHANGED_FIELDS))
    return ReservationResult(reservation=reservation, at=at, payment=payment, effect=effect, next_command=following)


def _returned(reservation: Reservation, outcome: PaymentOutcome, at: datetime) -> None:
    """End a reservation whose money is back with the guest, and free its places."""
    if reservation.status == ReservationStatus.PAID:
        reservation.move(ReservationStatus.REFUNDED, at=at, by=outcome.actor, because="refunded in full")
    elif reservation.status == ReservationStatus.CONFIRMED:
        reservation.move(
            ReservationStatus.FAILED, at=at, by=outcome.actor, because="the part that was captured is returned"
        )
    else:
        return
    inventory.release([reservation])
