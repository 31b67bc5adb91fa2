"""The meaning of a refusal: the provider's object decides.

Outside any transaction (P6).
"""

from dataclasses import replace

from payments import commands, lookups
from payments.models import Command
from payments.outcome_types import Failure, Outcome, PaymentOutcome, ProviderPayment
from payments.providers.base import Provider
from payments.providers.errors import DeclinedError, HoldEndedError, ProviderError, RefusedError
from payments.states import CommandKind

_NO_MONEY = frozenset((Outcome.REQUIRES_PAYMENT_METHOD, Outcome.DECLINED))
"""The object waits for a payment method: a refusal to take money is borne out by it."""

_BEARS_OUT = {CommandKind.CANCEL: frozenset[Outcome]()} | dict.fromkeys(
    (*commands.STARTING, CommandKind.CONFIRM, CommandKind.CAPTURE), _NO_MONEY
)
_SAYS_NOTHING = {
    CommandKind.CAPTURE: frozenset((Outcome.UNKNOWN, Outcome.HELD, Outcome.REQUIRES_ACTION)),
    CommandKind.CANCEL: frozenset(Outcome) - {Outcome.CANCELED, Outcome.CAPTURED},
}
"""The object stands as it did: the refusal may be of the moment, so it is asked again, and a person told in the end."""


def decide(command: Command, error: RefusedError, provider: Provider) -> PaymentOutcome:
    """Return the outcome of a refused command; unreadable ones stay unknown."""
    try:
        if command.kind == CommandKind.REFUND:
            return _refund(command, error, provider)
        theirs = _object(command, error, provider)
    except ProviderError as unread:
        return replace(lookups.unknown(command, unread), not_taken=False)
    if theirs is None and not _can_be_believed(command, error):
        return lookups.outcome(command, Outcome.UNKNOWN, error=str(error), request_id=error.request_id)
    if theirs is None or theirs.outcome in _BEARS_OUT[CommandKind(command.kind)] or _is_over(error, theirs):
        return _refused(command, error, theirs)
    if theirs.outcome in _SAYS_NOTHING.get(CommandKind(command.kind), (Outcome.UNKNOWN,)):
        return lookups.outcome(command, Outcome.UNKNOWN, error=str(error), request_id=error.request_id)
    return lookups.outcome(
        command, theirs.outcome, payment=theirs, error=str(error), failure=error.failure, request_id=error.request_id
    )


def _object(command: Command, error: RefusedError, provider: Provider) -> ProviderPayment | None:
    """Return the payment as it is now; None if the command would have made it and has not.

    A refusal that was saved under the key may be old, and so is the object in it.
    """
    if error.payment is not None and not command.may_have_reached_provider:
        return error.payment
    if command.payment.provider_ref:
        lookups.count(command)
        return lookups.fetch(command, provider)
    if command.kind in commands.STARTING and command.may_have_reached_provider:
        lookups.count(command)
        return lookups.find(command, provider) or error.payment
    return error.payment


def _can_be_believed(command: Command, error: RefusedError) -> bool:
    """Whether a refusal without an object is true of every earlier attempt, too."""
    return not command.may_have_reached_provider or error.field in ("amount", "currency")


def _is_over(error: RefusedError, theirs: ProviderPayment) -> bool:
    """Whether a hold that the object still shows is known to be none any more."""
    return isinstance(error, HoldEndedError | DeclinedError) and theirs.outcome is Outcome.HELD


def _refused(command: Command, error: RefusedError, theirs: ProviderPayment | None) -> PaymentOutcome:
    is_declined = isinstance(error, DeclinedError)
    return lookups.outcome(
        command,
        Outcome.DECLINED if is_declined else Outcome.REFUSED,
        payment=theirs,
        failure=error.failure if is_declined else _worded(error),
        error=str(error),
        request_id=error.request_id,
    )


def _worded(error: RefusedError) -> Failure:
    """Name what is refused: a card that nobody declined must not be told as declined."""
    said = f"The payment provider refuses this: {error.failure.message or error.failure.code or 'no reason is given'}"
    if isinstance(error, HoldEndedError):
        return Failure(code="hold_expired", message=said)
    return Failure(code=f"invalid_{error.field}" if error.field else "payment_refused", message=said)


def _refund(command: Command, error: RefusedError, provider: Provider) -> PaymentOutcome:
    """Believe that a refund is refused only if none was made by its key."""
    lookups.count(command)
    made = lookups.find_refund(command, provider)
    if made is not None:
        return lookups.outcome(command, Outcome.PROCESSING, refund=made, error=str(error), request_id=made.request_id)
    return lookups.outcome(
        command, Outcome.REFUSED, failure=error.failure, error=str(error), request_id=error.request_id
    )
