"""The one door: every change that a payment makes to a reservation goes through :func:`settle`, whoever noticed it."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from booking import locks, places
from booking.errors import SlotClosedError, SlotSoldOutError
from booking.models import CHANGED_FIELDS, History, Reservation
from booking.states import ReservationStatus
from common import database
from payments import applying, commands, refunding
from payments.applying import Change
from payments.errors import OutcomeMismatchError, UnknownPaymentError
from payments.models import Command
from payments.outcomes import Effect, Outcome, PaymentOutcome
from payments.states import COMMAND_OPEN, CommandKind

logger = logging.getLogger("holdfast.settlement")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What settling did, and the reservation as it is now."""

    reservation: Reservation
    effect: Effect


def settle(*, news: PaymentOutcome) -> Settled:
    """Lock the reservation and its payment, apply the news, write both back, and say what was done.

    Must be called inside a transaction. Locks reservation → payment → slot. "Captured" counts only with an event in
    hand (P3); without one the payment is ``processing`` until the event comes.

    Raises:
        UnknownPaymentError: There is no such payment (yet).
        OutcomeMismatchError: The news contradicts the payment: another amount, currency, account or object.
    """
    database.require_transaction()
    reservation = _find(news)
    at: datetime = reservation.db_now  # type: ignore[attr-defined]  # annotated by the lock
    if news.refund is not None or (news.command is not None and news.command.kind == CommandKind.REFUND):
        return _settle_refund(reservation, news, at)
    change = applying.apply(reservation.payment, news, at=at)
    effect, wanted = _react(reservation, change, news, at)
    payment_fields = applying.CHANGED_FIELDS + (("amount_refunding",) if effect is Effect.REFUNDING else ())
    _write(reservation, news, at, payment_fields if _is_news(change, news) else ())
    database.insert_together(*wanted)
    return Settled(reservation=reservation, effect=effect)


def _find(news: PaymentOutcome) -> Reservation:
    found = None
    ours = news.payment_id or (news.payment.payment_id if news.payment else None)
    theirs = news.payment.ref if news.payment else news.refund.payment_ref if news.refund else ""
    account = news.payment.account if news.payment else news.refund.account if news.refund else ""
    if ours is not None:
        found = locks.find_reservation_for_update(where=Q(payment=ours))
    elif theirs:
        by_ref = Q(payment__provider=news.provider, payment__provider_account=account, payment__provider_ref=theirs)
        found = locks.find_reservation_for_update(where=by_ref)
    if found is None:
        raise UnknownPaymentError(theirs or str(ours))
    if found.payment.provider != news.provider:
        raise OutcomeMismatchError(f"{theirs} of {news.provider} claims to be a payment of {found.payment.provider}.")
    return found


def _react(reservation: Reservation, change: Change, news: PaymentOutcome, at: datetime) -> tuple[Effect, list[Any]]:
    """Decide what the change of the payment means for the reservation; return what is to be stored beside it."""
    match change:
        case Change.HELD:
            if reservation.status == ReservationStatus.AWAITING_PAYMENT:
                reservation.move(ReservationStatus.PENDING, at=at, by=news.actor, because=news.reason)
                return Effect.APPLIED, []
            return Effect.APPLIED, _release(reservation, at, "a hold for a reservation that is over")
        case Change.CAPTURED if reservation.is_active:
            reservation.move(ReservationStatus.PAID, at=at, by=news.actor, because=news.reason)
            return Effect.APPLIED, []
        case Change.CAPTURED:
            return _late(reservation, news, at)
        case Change.LATE:
            return Effect.REFUNDING, _give_money_back(reservation, at, "the payment was closed already")
        case Change.LOST:
            return Effect.APPLIED, _lost(reservation, news, at)
        case Change.PROGRESSED:
            return Effect.APPLIED, []
        case Change.STALE:
            return Effect.STALE, []
    _wait_for_evidence(reservation, news)
    return Effect.ALREADY, []


def _lost(reservation: Reservation, news: PaymentOutcome, at: datetime) -> list[Any]:
    """No money will come: free the places, and close what may still be open at the provider."""
    if reservation.is_active:
        reservation.move(ReservationStatus.FAILED, at=at, by=news.actor, because=news.reason)
        places.give_back([reservation])
    if news.outcome in (Outcome.DECLINED, Outcome.REFUSED) and reservation.payment.provider_ref:
        return _release(reservation, at, "closes a payment that failed")
    return []


def _release(reservation: Reservation, at: datetime, reason: str) -> list[Command]:
    """Want the hold released, unless that is wanted already or the reservation still needs it (P7)."""
    payment = reservation.payment
    if reservation.is_active:
        return []
    if payment.commands.filter(kind=CommandKind.CANCEL, status__in=sorted(COMMAND_OPEN)).exists():
        return []
    return [commands.new(payment=payment, kind=CommandKind.CANCEL, requested_by="settlement", reason=reason, now=at)]


def _late(reservation: Reservation, news: PaymentOutcome, at: datetime) -> tuple[Effect, list[Any]]:
    """Money that arrives after the reservation was over: seat it again if there is room, else give it back (P8)."""
    try:
        with transaction.atomic():
            reservation.move(ReservationStatus.PAID, at=at, by=news.actor, because="the money came late; seated again")
            database.update_together((reservation, CHANGED_FIELDS))
            if reservation.slot_id is not None:
                places.take(slot_id=reservation.slot_id, places=reservation.places, now=at)
    except (SlotSoldOutError, SlotClosedError, IntegrityError) as error:
        reservation.refresh_from_db(fields=CHANGED_FIELDS)  # as it was before the savepoint
        return Effect.REFUNDING, _give_money_back(reservation, at, f"its places are gone ({type(error).__name__})")
    return Effect.APPLIED, []


def _give_money_back(reservation: Reservation, at: datetime, why: str) -> list[Any]:
    refund, command = refunding.request(
        payment=reservation.payment,
        amount=reservation.payment.amount_captured,
        reason="late_payment",
        requested_by="settlement",
        now=at,
    )
    note = History(
        reservation=reservation,
        at=at,
        from_status=reservation.status,
        to_status=reservation.status,
        actor="settlement",
        reason=f"money came late and is refunded: {why}",
    )
    note.save(force_insert=True)
    return [refund, command]


def _wait_for_evidence(reservation: Reservation, news: PaymentOutcome) -> None:
    """Keep the places of money that the provider says it took, until its event comes or the ceiling is reached."""
    hearsay = news.outcome is Outcome.CAPTURED and news.event_id is None
    if hearsay and reservation.status == ReservationStatus.AWAITING_PAYMENT:
        reservation.expires_at = reservation.created_at + timedelta(seconds=settings.HOLD_CEILING_SECONDS)


def _settle_refund(reservation: Reservation, news: PaymentOutcome, at: datetime) -> Settled:
    payment = reservation.payment
    effect = refunding.apply(payment, news, at=at)
    fully = payment.amount_refunded == payment.amount_captured > 0
    if fully and reservation.status == ReservationStatus.PAID:
        reservation.move(ReservationStatus.REFUNDED, at=at, by=news.actor, because="refunded in full")
        places.give_back([reservation])
    _write(reservation, news, at, refunding.CHANGED_FIELDS)
    return Settled(reservation=reservation, effect=effect)


def _is_news(change: Change, news: PaymentOutcome) -> bool:
    return change not in (Change.NONE, Change.STALE) or (news.payment is not None and news.command is not None)


def _write(reservation: Reservation, news: PaymentOutcome, at: datetime, payment_fields: tuple[str, ...]) -> None:
    """Write reservation, payment and command back in one statement."""
    changes: list[tuple[Any, tuple[str, ...]]] = [(reservation, CHANGED_FIELDS), (reservation.payment, payment_fields)]
    if news.command is not None:
        commands.finish(news.command, news, at=at)
        changes.append((news.command, commands.FINISHED_FIELDS))
    database.update_together(*changes)
