"""Giving captured money back: reserved on the payment when asked for, settled by the provider's event."""

from datetime import datetime, timedelta
from uuid import UUID

from common import database, ids
from payments import commands, currencies, locks
from payments.errors import EarlyNewsError, OutcomeMismatchError
from payments.models import Command, Payment, Refund
from payments.outcomes import Effect, Outcome, PaymentOutcome, ProviderRefund
from payments.states import REFUND_TRANSITIONS, CommandKind, RefundStatus

CHANGED_FIELDS = ("amount_refunding", "amount_refunded")
"""Every field of a payment that refunds change."""

ACTOR = "refunds"
FOR_NOW = frozenset(("balance_insufficient", "insufficient_funds", "charge_pending", "lock_timeout", "api_error"))
"""Refusals of the moment: the same refund may be taken later."""
PATIENCE = timedelta(days=3)
"""How long a refund that is refused for now is asked for again by itself; a person is told from the first time on."""
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)

_STATUSES = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELED,
}


def request(
    *,
    payment: Payment,
    amount: int,
    reason: str,
    requested_by: str,
    now: datetime,
    refund_id: UUID | None = None,
    replaces: Refund | None = None,
) -> tuple[Refund, Command]:
    """Reserve an amount of a locked payment for a refund; return the refund and its command, both to be stored.

    The database refuses more than was captured; the caller writes ``CHANGED_FIELDS`` of the payment.
    """
    payment.amount_refunding += amount
    refund = Refund(
        id=refund_id or ids.new_id(),
        operator_id=payment.operator_id,
        payment=payment,
        amount=amount,
        reason=reason,
        created_at=now,
        changed_at=now,
        requested_by=requested_by,
        replaces=replaces,
    )
    return refund, _asking_for(refund, payment, requested_by=requested_by, now=now)


def _asking_for(refund: Refund, payment: Payment, *, requested_by: str, now: datetime) -> Command:
    return commands.new(
        payment=payment,
        kind=CommandKind.REFUND,
        requested_by=requested_by,
        reason=refund.reason,
        now=now,
        amount=refund.amount,
        refund=refund,
    )


def apply(payment: Payment, news: PaymentOutcome, *, at: datetime) -> Effect:
    """Apply what a provider says of a refund to a locked payment; the caller writes ``CHANGED_FIELDS``.

    The answer to our own call only tells the provider's id; the event settles. A refund that was made at the provider
    and that we do not know is recorded. The end of a hold looks like a refund, and is none: no money has moved.

    Raises:
        EarlyNewsError: Its money is not known here yet: the capture, or what another refund has reserved.
        OutcomeMismatchError: It is of another amount or currency than we asked for.
    """
    theirs = news.refund
    if theirs is None:
        return _refused(payment, news, at)
    if not theirs.moved_money:
        return Effect.STALE
    if theirs.currency != payment.currency:
        raise OutcomeMismatchError(f"{theirs.ref}: a refund in {theirs.currency} of a payment in {payment.currency}.")
    if payment.amount_captured == 0:
        money = currencies.shown(theirs.amount, theirs.currency)
        raise EarlyNewsError(f"{theirs.ref}: {money} given back of money not known yet.", payment_id=payment.pk)
    refund = locks.find_refund_for_update(payment=payment, refund_id=theirs.refund_id, provider_ref=theirs.ref)
    if refund is None:
        refund = _record_foreign(payment, theirs, news.actor, at)
    if refund.amount != theirs.amount:
        money = currencies.shown(theirs.amount, theirs.currency)
        raise OutcomeMismatchError(f"{theirs.ref}: {money} is not what refund {refund.pk} asks for.")
    status = _STATUSES.get(theirs.status) if news.event_id is not None else None
    moved = status is not None and status in REFUND_TRANSITIONS[refund.status]
    if status is not None and moved:
        _account(payment, refund, status)
        refund.move(status, at=at)
    if moved or refund.status == RefundStatus.PENDING:
        refund.failure_code = theirs.failure_code
    refund.provider_ref = theirs.ref
    refund.save(update_fields=["provider_ref", "failure_code", "status", "changed_at"])
    return Effect.APPLIED if moved or news.event_id is None else Effect.ALREADY


def _refused(payment: Payment, news: PaymentOutcome, at: datetime) -> Effect:
    """Free what a refund had reserved if the provider refused it; what is refused only for now is asked again."""
    if news.command is None or news.outcome not in (Outcome.REFUSED, Outcome.DECLINED):
        return Effect.STALE
    if not commands.is_claimed_still(news.command):
        return Effect.STALE  # another sender has it by now, and its answer counts
    refund = locks.find_refund_for_update(payment=payment, refund_id=news.command.refund_id, provider_ref="")
    if refund is None or refund.status != RefundStatus.PENDING:
        return Effect.STALE
    refund.failure_code = news.failure.code[:100] if news.failure else "refused"
    if refund.failure_code in FOR_NOW and at < refund.created_at + PATIENCE:
        _ask_again_later(payment, refund, at)
    else:
        _account(payment, refund, RefundStatus.FAILED)
        refund.move(RefundStatus.FAILED, at=at)
    refund.save(update_fields=["failure_code", "status", "changed_at"])
    return Effect.APPLIED


def _ask_again_later(payment: Payment, refund: Refund, at: datetime) -> None:
    """Store a command with a key of its own: the provider saves its refusal under the old one.

    The wait is as long again as the refund has waited: no number of tries decides.
    """
    command = _asking_for(refund, payment, requested_by=ACTOR, now=at)
    command.next_attempt_at = at + min(max(at - refund.created_at, _SHORTEST_WAIT), _LONGEST_WAIT)
    database.insert_together(command)


def _record_foreign(payment: Payment, theirs: ProviderRefund, actor: str, at: datetime) -> Refund:
    is_over = _STATUSES.get(theirs.status) in (RefundStatus.FAILED, RefundStatus.CANCELED)
    if theirs.amount > payment.amount_refundable and not is_over:
        more, left = (currencies.shown(money, payment.currency) for money in (theirs.amount, payment.amount_refundable))
        raise EarlyNewsError(
            f"{theirs.ref}: {more} given back, and {left} are left of the payment.", payment_id=payment.pk, again=True
        )
    payment.amount_refunding += theirs.amount
    return Refund.objects.create(
        operator_id=payment.operator_id,
        payment=payment,
        amount=theirs.amount,
        reason="made_at_provider",
        provider_ref=theirs.ref,
        created_at=at,
        changed_at=at,
        requested_by=actor,
    )


def _account(payment: Payment, refund: Refund, to: RefundStatus) -> None:
    if refund.status == RefundStatus.PENDING:
        payment.amount_refunding -= refund.amount
    else:
        payment.amount_refunded -= refund.amount
    if to is RefundStatus.SUCCEEDED:
        payment.amount_refunded += refund.amount
