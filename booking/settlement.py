"""The one door: every change that a payment makes to a reservation goes through :func:`settle`, whoever noticed it."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking import holds, late_money, locks, places
from booking.models import CHANGED_FIELDS, Reservation
from booking.states import ReservationStatus
from common import database
from common.locking import AsOf, Locked
from payments import applying, commands, currencies, disputing, refunding, settling
from payments.applying import Change
from payments.errors import UnknownPaymentError
from payments.outcomes import Effect, Outcome, PaymentOutcome

logger = logging.getLogger("holdfast.settlement")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled(settling.Settled):
    """What settling did, with the reservation as it is now."""

    reservation: Reservation
    at: datetime
    """When it was locked, by the database's clock."""

    @property
    def as_of(self) -> AsOf[Reservation]:
        """The reservation, with the time."""
        return AsOf(row=self.reservation, at=self.at)


def settle(*, news: PaymentOutcome) -> Settled:
    """Lock the reservation and its payment, apply the news, write both back, and say what was done.

    Must be called inside a transaction. Locks reservation → payment → slot. "Captured" counts only with an event in
    hand (P3); without one the payment is ``processing`` until the event comes.

    Raises:
        UnknownPaymentError: There is no such payment (yet).
        OutcomeMismatchError: The news contradicts the payment: another amount, currency, account or object.
    """
    database.require_transaction()
    locked = _find(news)
    reservation, at = locked.row, locked.at
    if settling.is_of_refund(news):
        return _settle_refund(reservation, news, at)
    change = applying.apply(reservation.payment, news, at=at)
    effect, wanted = _react(reservation, change, news, at)
    holds.shorten(reservation, at=at)
    payment_fields = settling.changed_fields(change, news, effect)
    following = settling.write(news, at, (reservation, CHANGED_FIELDS), (reservation.payment, payment_fields))
    database.insert_together(*wanted)
    return Settled(reservation=reservation, at=at, payment=reservation.payment, effect=effect, next_command=following)


def settle_any(*, news: PaymentOutcome) -> settling.Settled:
    """Settle news of whatever payment it is of: a reservation's, or one that nothing else drives. Raises as both."""
    if news.dispute is not None:
        return disputing.record(news=news, theirs=news.dispute)
    try:
        return settle(news=news)
    except UnknownPaymentError:
        return settling.settle(news=news)


def _find(news: PaymentOutcome) -> Locked[Reservation]:
    found = locks.find_reservation_for_update(**settling.named(news, prefix="payment__"))
    if found is None:
        raise UnknownPaymentError(settling.reference(news))
    settling.check_provider(found.row.payment, news)
    return found


def _react(reservation: Reservation, change: Change, news: PaymentOutcome, at: datetime) -> tuple[Effect, list[Any]]:
    """Decide what the change of the payment means for the reservation; return what is to be stored beside it."""
    match change:
        case Change.HELD:
            if reservation.status == ReservationStatus.AWAITING_PAYMENT:
                reservation.move(ReservationStatus.PENDING, at=at, by=news.actor, because=news.reason)
                return Effect.APPLIED, []
            return Effect.APPLIED, _release(reservation, at)
        case Change.CAPTURED if reservation.is_active:
            _taken(reservation, news, at)
            return Effect.APPLIED, []
        case Change.CAPTURED:
            return late_money.take(reservation, at=at)
        case Change.LATE:
            return Effect.REFUNDING, late_money.give_back(reservation, at=at, why="the payment was closed already")
        case Change.LOST:
            return Effect.APPLIED, _lost(reservation, news, at)
        case Change.PROGRESSED:
            _wait_for_evidence(reservation, news)
            return Effect.APPLIED, _close_unneeded(reservation, news, at)
        case Change.STALE:
            return Effect.STALE, []
    _wait_for_evidence(reservation, news)
    return Effect.ALREADY, _close_unneeded(reservation, news, at)


def _taken(reservation: Reservation, news: PaymentOutcome, at: datetime) -> None:
    """Note money that was taken: all of it pays; of a part of it the places are kept until a person decides."""
    payment = reservation.payment
    if payment.amount_captured == reservation.amount:
        reservation.move(ReservationStatus.PAID, at=at, by=news.actor, because=news.reason)
        return
    part, whole = (currencies.shown(amount, payment.currency) for amount in (payment.amount_captured, payment.amount))
    because = f"{part} of {whole} were captured"
    if reservation.status == ReservationStatus.CONFIRMED:
        reservation.note(at=at, actor=news.actor, reason=because).save(force_insert=True)
    else:
        reservation.move(ReservationStatus.CONFIRMED, at=at, by=news.actor, because=because)


def _release(reservation: Reservation, at: datetime) -> list[Any]:
    """Let go of a hold that came too late for its reservation (P7)."""
    if reservation.is_active:
        return []
    return settling.release(reservation.payment, at, reason="a hold for a reservation that is over")


def _close_unneeded(reservation: Reservation, news: PaymentOutcome, at: datetime) -> list[Any]:
    """Close a payment that was begun, and can still take money, for a reservation that was over by then."""
    begun = news.command is not None and news.command.kind in commands.STARTING and news.payment is not None
    return _release(reservation, at) if begun and not reservation.payment.is_final else []


def _lost(reservation: Reservation, news: PaymentOutcome, at: datetime) -> list[Any]:
    """No money will come: free the places, and close what may still be open at the provider."""
    if reservation.is_active:
        over = ReservationStatus.EXPIRED if reservation.is_due(at) else ReservationStatus.FAILED
        reservation.move(over, at=at, by=news.actor, because=news.reason)
        places.give_back([reservation])
    return settling.close_failed(reservation.payment, news, at)


def _wait_for_evidence(reservation: Reservation, news: PaymentOutcome) -> None:
    """Keep the places of money that the provider says it took, until its event comes or the ceiling is reached."""
    hearsay = news.outcome is Outcome.CAPTURED and news.event_id is None
    if hearsay and reservation.status == ReservationStatus.AWAITING_PAYMENT:
        reservation.expires_at = holds.latest_end(reservation)


def _settle_refund(reservation: Reservation, news: PaymentOutcome, at: datetime) -> Settled:
    payment = reservation.payment
    effect = refunding.apply(payment, news, at=at)
    if payment.amount_refunded == payment.amount_captured > 0:
        _returned(reservation, news, at)
    following = settling.write(news, at, (reservation, CHANGED_FIELDS), (payment, refunding.CHANGED_FIELDS))
    return Settled(reservation=reservation, at=at, payment=payment, effect=effect, next_command=following)


def _returned(reservation: Reservation, news: PaymentOutcome, at: datetime) -> None:
    """End a reservation whose money is back with the guest, and free its places."""
    if reservation.status == ReservationStatus.PAID:
        reservation.move(ReservationStatus.REFUNDED, at=at, by=news.actor, because="refunded in full")
    elif reservation.status == ReservationStatus.CONFIRMED:
        reservation.move(
            ReservationStatus.FAILED, at=at, by=news.actor, because="the part that was captured is returned"
        )
    else:
        return
    places.give_back([reservation])
