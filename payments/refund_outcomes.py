"""What a provider says of a refund.

The answer to our call tells its id, the event settles it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from common import currencies, database
from payments import commands, locks, refund_steps
from payments.errors import EarlyOutcomeError, OutcomeMismatchError
from payments.models import Payment, Refund
from payments.outcome_types import Effect, Outcome, PaymentOutcome, ProviderRefund
from payments.states import REFUND_OVER_WITHOUT_MONEY, REFUND_TRANSITIONS, RefundStatus

PATIENCE = timedelta(days=3)
"""How long a refund that is refused for now is asked for again by itself; a person is told from the first time on."""
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


MADE_THERE = "made_at_provider"
"""The reason of a refund that we did not ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """What an outcome changed of a refund."""

    effect: Effect
    refund: Refund | None = None
    is_new: bool = False

    @property
    def made_there(self) -> Refund | None:
        """The refund, if made there and first heard of now.

        One that has failed already counts for nothing.
        """
        return self.refund if self.is_new and not self._has_failed else None

    @property
    def failed_there(self) -> Refund | None:
        """The refund, if made there and failed by this outcome."""
        is_theirs = self.refund is not None and self.refund.reason == MADE_THERE
        return self.refund if is_theirs and self._has_failed and self.effect is Effect.APPLIED else None

    @property
    def _has_failed(self) -> bool:
        return self.refund is not None and self.refund.status in REFUND_OVER_WITHOUT_MONEY


def apply(payment: Payment, outcome: PaymentOutcome, *, at: datetime) -> Refunded:
    """Apply an outcome of a refund to a locked payment.

    The caller writes ``refund_steps.CHANGED_FIELDS``.

    The answer to our own call only tells the provider's id; the event settles. A refund that was made at the provider
    and that we do not know is recorded. The end of a hold looks like a refund, and is none: no money has moved.

    Raises:
        EarlyOutcomeError: Its money is not known here yet: the capture, or what another refund has reserved.
        OutcomeMismatchError: It is of another amount or currency than we asked for.
    """
    theirs = outcome.refund
    if theirs is None:
        return Refunded(effect=_refused(payment, outcome, at))
    if not theirs.moved_money:
        return Refunded(effect=Effect.STALE)
    if theirs.currency != payment.currency:
        raise OutcomeMismatchError(f"{theirs.ref}: a refund in {theirs.currency} of a payment in {payment.currency}.")
    if payment.amount_captured == 0:
        money = currencies.shown(theirs.amount, theirs.currency)
        raise EarlyOutcomeError(f"{theirs.ref}: {money} given back of money not known yet.", payment_id=payment.pk)
    refund = locks.find_refund_for_update(payment=payment, refund_id=theirs.refund_id, provider_ref=theirs.ref)
    is_new = refund is None
    if refund is None:
        refund = _record_foreign(payment, theirs, outcome.actor, at)
    if refund.amount != theirs.amount:
        money = currencies.shown(theirs.amount, theirs.currency)
        raise OutcomeMismatchError(f"{theirs.ref}: {money} is not what refund {refund.pk} asks for.")
    status = theirs.status if outcome.event_id is not None else None
    moved = status is not None and status in REFUND_TRANSITIONS[refund.status]
    if status is not None and moved:
        _account(payment, refund, status)
        refund.move(status, at=at)
    if moved or refund.status == RefundStatus.PENDING:
        refund.failure_code = theirs.failure_code
    refund.provider_ref = theirs.ref
    refund.save(update_fields=["provider_ref", "failure_code", "status", "changed_at"])
    effect = Effect.APPLIED if moved or outcome.event_id is None else Effect.ALREADY
    return Refunded(effect=effect, refund=refund, is_new=is_new)


def _refused(payment: Payment, outcome: PaymentOutcome, at: datetime) -> Effect:
    """Free what a refund had reserved if the provider refused it; what is refused only for now is asked again."""
    if outcome.command is None or outcome.kind not in (Outcome.REFUSED, Outcome.DECLINED):
        return Effect.STALE
    if not commands.is_claimed_still(outcome.command):
        return Effect.STALE  # another sender has it by now, and its answer counts
    refund = locks.find_refund_for_update(payment=payment, refund_id=outcome.command.refund_id, provider_ref="")
    if refund is None or refund.status != RefundStatus.PENDING:
        return Effect.STALE
    refund.failure_code = outcome.failure.code[:100] if outcome.failure else "refused"
    is_temporary = outcome.failure is not None and outcome.failure.is_temporary
    if is_temporary and at < refund.created_at + PATIENCE:
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
    command = refund_steps.ask(refund, payment, requested_by=refund_steps.ACTOR, now=at)
    command.next_attempt_at = at + min(max(at - refund.created_at, _SHORTEST_WAIT), _LONGEST_WAIT)
    database.insert_together(command)


def _record_foreign(payment: Payment, theirs: ProviderRefund, actor: str, at: datetime) -> Refund:
    is_over = theirs.status in REFUND_OVER_WITHOUT_MONEY
    if theirs.amount > payment.amount_refundable and not is_over:
        more, left = (currencies.shown(money, payment.currency) for money in (theirs.amount, payment.amount_refundable))
        raise EarlyOutcomeError(
            f"{theirs.ref}: {more} given back, and {left} are left of the payment.", payment_id=payment.pk, again=True
        )
    payment.amount_refunding += theirs.amount
    return Refund.objects.create(
        operator_id=payment.operator_id,
        payment=payment,
        amount=theirs.amount,
        reason=MADE_THERE,
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
