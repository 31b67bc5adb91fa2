"""What news of a payment comes to, as far as the payment itself goes: the payments that nothing else drives.

A payment that something manages (a reservation) is settled there, with these parts.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common import database
from payments import applying, commands, locks, refunding
from payments.applying import Change
from payments.errors import OutcomeMismatchError, UnknownPaymentError
from payments.models import Command, Payment, Refund
from payments.outcomes import Effect, Outcome, PaymentOutcome
from payments.states import COMMAND_OPEN, CommandKind

logger = logging.getLogger("holdfast.commands")

ACTOR = "settlement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What settling did, and the payment as it is now."""

    payment: Payment
    effect: Effect
    next_command: UUID | None = None
    """The command of the payment that waited for the one whose answer this was."""


def settle(*, news: PaymentOutcome) -> Settled:
    """Lock the payment, apply the news, write it back, and say what was done. Must be called inside a transaction.

    Raises:
        UnknownPaymentError: There is no such payment (yet), or something else drives it.
        OutcomeMismatchError: The news contradicts the payment: another amount, currency, account or object.
    """
    database.require_transaction()
    locked = locks.find_payment_for_update(**named(news), managed_by="")
    if locked is None:
        raise UnknownPaymentError(reference(news))
    payment, at = locked.row, locked.at
    check_provider(payment, news)
    if is_of_refund(news):
        effect = refunding.apply(payment, news, at=at)
        following = write(news, at, (payment, refunding.CHANGED_FIELDS))
        return Settled(payment=payment, effect=effect, next_command=following)
    change = applying.apply(payment, news, at=at)
    effect, wanted = _react(payment, change, news, at)
    following = write(news, at, (payment, changed_fields(change, news, effect)))
    database.insert_together(*wanted)
    return Settled(payment=payment, effect=effect, next_command=following)


def _react(payment: Payment, change: Change, news: PaymentOutcome, at: datetime) -> tuple[Effect, Sequence[Any]]:
    match change:
        case Change.LATE:
            return Effect.REFUNDING, give_back(payment, at)
        case Change.LOST:
            return Effect.APPLIED, close_failed(payment, news, at)
        case Change.NONE:
            return Effect.ALREADY, []
        case Change.STALE:
            return Effect.STALE, []
    return Effect.APPLIED, []


def named(news: PaymentOutcome, *, prefix: str = "") -> dict[str, Any]:
    """Return what the payment is found by that the news is of: our id where it is told, else the provider's reference.

    Raises:
        UnknownPaymentError: It tells of none.
    """
    ours = news.payment_id or (news.payment.payment_id if news.payment else None)
    if ours is not None:
        return {f"{prefix}id": ours}
    if not reference(news):
        raise UnknownPaymentError("the news names no payment")
    told = news.payment or news.refund or news.dispute
    account = told.account if told else ""
    by_ref = {"provider": news.provider, "provider_account": account, "provider_ref": reference(news)}
    return {f"{prefix}{name}": value for name, value in by_ref.items()}


def reference(news: PaymentOutcome) -> str:
    """Return what the provider calls the payment, or our id if it was our call."""
    if news.payment is not None:
        return news.payment.ref
    told = news.refund or news.dispute
    return (told.payment_ref if told else "") or str(news.payment_id or "")


def check_provider(payment: Payment, news: PaymentOutcome) -> None:
    """Refuse the news of one provider about a payment of another.

    Raises:
        OutcomeMismatchError: That is what it is.
    """
    if payment.provider != news.provider:
        message = f"{reference(news)} of {news.provider} claims to be a payment of {payment.provider}."
        raise OutcomeMismatchError(message)


def is_of_refund(news: PaymentOutcome) -> bool:
    """Tell whether the news is of a refund rather than of the payment itself."""
    return news.refund is not None or (news.command is not None and news.command.kind == CommandKind.REFUND)


def release(payment: Payment, at: datetime, *, reason: str) -> list[Command]:
    """Want the hold released, or the payment closed, unless that is wanted already. The payment is locked."""
    if payment.commands.filter(kind=CommandKind.CANCEL, status__in=sorted(COMMAND_OPEN)).exists():
        return []
    return [commands.new(payment=payment, kind=CommandKind.CANCEL, requested_by=ACTOR, reason=reason, now=at)]


def close_failed(payment: Payment, news: PaymentOutcome, at: datetime) -> list[Command]:
    """Close what may still be open at the provider of a payment that was declined."""
    if news.outcome in (Outcome.DECLINED, Outcome.REFUSED) and payment.provider_ref:
        return release(payment, at, reason="closes a payment that failed")
    return []


def give_back(payment: Payment, at: datetime) -> tuple[Refund, Command]:
    """Want money refunded that came when the payment was closed already (P8). The payment is locked."""
    return refunding.request(
        payment=payment, amount=payment.amount_captured, reason="late_payment", requested_by=ACTOR, now=at
    )


def changed_fields(change: Change, news: PaymentOutcome, effect: Effect) -> Sequence[str]:
    """List the fields of the payment that are to be written; none if the news was none."""
    is_news = change not in (Change.NONE, Change.STALE) or (news.payment is not None and news.command is not None)
    if not is_news:
        return ()
    return applying.CHANGED_FIELDS + (("amount_refunding",) if effect is Effect.REFUNDING else ())


def write(news: PaymentOutcome, at: datetime, *changes: tuple[Any, Sequence[str]]) -> UUID | None:
    """Write locked rows back in one statement, and with them the command whose answer the news is.

    The command is left alone if another sender has it by now. Returns the command that waited for it.
    """
    command = news.command
    if command is None:
        database.update_together(*changes)
        return None
    commands.finish(command, news, at=at)
    recorded = database.update_together(*changes, fenced=commands.fenced(command))
    if recorded is None:
        logger.warning("A sender was too slow; another has its command.", extra={"command": str(command.pk)})
        return None
    following: UUID | None = recorded[0]
    return None if command.is_open else following
