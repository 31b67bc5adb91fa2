"""What an outcome changes on a payment, in memory.

The caller has locked the payment and writes it back.

Read is only, of a payment that is flagged for a person, whether a command of it was given up.
"""

from datetime import datetime
from enum import StrEnum

from common import currencies
from payments.errors import OutcomeMismatchError
from payments.models import Payment
from payments.outcome_types import Failure, Outcome, PaymentOutcome, ProviderPayment
from payments.states import PAYMENT_FINAL, PAYMENT_ORDER, PAYMENT_TRANSITIONS, CommandKind, PaymentStatus

CHANGED_FIELDS = (
    "provider_ref",
    "status",
    "client_secret",
    "auth_code",
    "receipt_url",
    "next_action",
    "failure_code",
    "failure_message",
    "amount_captured",
    "held_at",
    "capture_before",
    "as_of",
    "captured_event_id",
    "stuck_at",
    "stuck_because",
    "changed_at",
    "changed_by",
    "changed_because",
)
"""Every field that :func:`apply` may change."""


class Change(StrEnum):
    """What became of the payment."""

    NONE = "none"
    STALE = "stale"
    PROGRESSED = "progressed"
    HELD = "held"
    CAPTURED = "captured"
    LATE = "late"
    LOST = "lost"


def apply(payment: Payment, outcome: PaymentOutcome, *, at: datetime) -> Change:
    """Apply an outcome to a locked payment, by the transition table.

    It may come late, twice and out of order.

    ``LATE`` is money that an event proves on a payment that is failed or canceled: it is recorded, the status stays
    (P8), and the caller must give it back. ``LOST`` means that no money will come.

    Raises:
        OutcomeMismatchError: The amount, currency, account or object is not the one that we asked for.
    """
    if outcome.payment is not None:
        _check(payment, outcome.payment)
        _learn(payment, outcome.payment)
    match outcome.kind:
        case Outcome.HELD:
            return _held(payment, outcome, at)
        case Outcome.CAPTURED:
            return _captured(payment, outcome, at)
        case Outcome.CANCELED:
            return _lost(payment, PaymentStatus.CANCELED, outcome, at)
        case Outcome.DECLINED | Outcome.REFUSED:
            return _declined(payment, outcome, at)
        case Outcome.REQUIRES_ACTION:
            return _progress(payment, PaymentStatus.REQUIRES_ACTION, outcome, at)
        case Outcome.PROCESSING:
            return _progress(payment, PaymentStatus.PROCESSING, outcome, at)
        case _:
            return Change.NONE


def _check(payment: Payment, theirs: ProviderPayment) -> None:
    """A payment of another amount is never held or paid (P3)."""
    ours = (payment.provider_account, payment.amount, payment.currency)
    if ours != (theirs.account, theirs.amount, theirs.currency):
        money = currencies.shown(theirs.amount, theirs.currency)
        raise OutcomeMismatchError(f"{theirs.ref}: {money} is not what {payment.id} asks for.")
    if payment.provider_ref and payment.provider_ref != theirs.ref:
        raise OutcomeMismatchError(f"{theirs.ref} claims to be {payment.id}, which is {payment.provider_ref}.")
    if theirs.payment_id is not None and theirs.payment_id != payment.id:
        raise OutcomeMismatchError(f"{theirs.ref} is of payment {theirs.payment_id}, not {payment.id}.")


def _learn(payment: Payment, theirs: ProviderPayment) -> None:
    payment.provider_ref = theirs.ref
    payment.client_secret = theirs.client_secret or payment.client_secret
    payment.capture_before = theirs.capture_before or payment.capture_before
    payment.auth_code = theirs.auth_code or payment.auth_code
    payment.receipt_url = theirs.receipt_url or payment.receipt_url


def _held(payment: Payment, outcome: PaymentOutcome, at: datetime) -> Change:
    if payment.held_at is not None:
        return Change.NONE  # a hold is had once; what comes later is an old event or a retried answer
    if PaymentStatus.ON_HOLD not in PAYMENT_TRANSITIONS[payment.status]:
        return Change.STALE
    payment.held_at = at
    payment.next_action = None
    _clear_failure(payment)
    _move(payment, PaymentStatus.ON_HOLD, outcome, at)
    return Change.HELD


def _captured(payment: Payment, outcome: PaymentOutcome, at: datetime) -> Change:
    if payment.amount_captured:
        return Change.NONE
    if outcome.event_id is None:
        return _hearsay(payment, outcome, at)
    if outcome.payment is None or not 0 < outcome.payment.amount_captured <= payment.amount:
        raise OutcomeMismatchError(f"{payment}: captured without a proper amount.")
    payment.amount_captured = outcome.payment.amount_captured
    payment.captured_event_id = outcome.event_id
    payment.next_action = None
    if payment.status in PAYMENT_FINAL:
        payment.as_of = at
        payment.unflag()
        return Change.LATE
    _clear_failure(payment)
    _move(payment, PaymentStatus.SUCCEEDED, outcome, at)
    return Change.CAPTURED


def _hearsay(payment: Payment, outcome: PaymentOutcome, at: datetime) -> Change:
    """Wait for the event of money that the provider says it took; a person sees it where nothing else waits (P8)."""
    if payment.status not in PAYMENT_FINAL:
        return _progress(payment, PaymentStatus.PROCESSING, outcome, at)
    payment.flag_stuck(at=at, because=f"the provider took the money after the payment was {payment.status}")
    return Change.PROGRESSED


def _declined(payment: Payment, outcome: PaymentOutcome, at: datetime) -> Change:
    """The answer to our own call is final; an event only tells of one try, and the customer may try again."""
    if outcome.command is None:
        return _try_failed(payment, outcome, at)
    if outcome.command.kind == CommandKind.CANCEL and payment.status != PaymentStatus.SUCCEEDED:
        payment.flag_stuck(at=at, because=f"the provider will not release it: {outcome.error}")
        return Change.PROGRESSED
    if outcome.command.kind in (CommandKind.CANCEL, CommandKind.REFUND):
        return Change.NONE
    change = _lost(payment, PaymentStatus.FAILED, outcome, at)
    if change is Change.LOST:
        _note_failure(payment, outcome.failure)
    return change


def _try_failed(payment: Payment, outcome: PaymentOutcome, at: datetime) -> Change:
    """Ask for another payment method; an old decline says nothing of a hold, an end, or a later try."""
    to = PaymentStatus.REQUIRES_PAYMENT_METHOD
    if payment.is_final or _is_old(payment, to, outcome):
        return Change.STALE
    payment.next_action = None
    _note_failure(payment, outcome.failure)
    if payment.status != to:
        _move(payment, to, outcome, at)
    payment.as_of = outcome.occurred_at or at
    return Change.PROGRESSED


def _lost(payment: Payment, to: PaymentStatus, outcome: PaymentOutcome, at: datetime) -> Change:
    if payment.status == to:
        return Change.NONE
    if payment.is_final:
        return Change.STALE
    payment.next_action = None
    _move(payment, to, outcome, at)
    return Change.LOST


def _progress(payment: Payment, to: PaymentStatus, outcome: PaymentOutcome, at: datetime) -> Change:
    """Take one step on, unless it is an old one: only what is newer takes the guest's next action away."""
    next_action = outcome.payment.next_action if outcome.payment else None
    is_old = outcome.kind is not Outcome.CAPTURED and _is_old(payment, to, outcome)
    if is_old or to not in PAYMENT_TRANSITIONS[payment.status] | {payment.status}:
        is_known = payment.status == to and payment.next_action == next_action
        return Change.NONE if is_known else Change.STALE
    payment.next_action = next_action
    if payment.status != to:
        _clear_failure(payment)
        _move(payment, to, outcome, at)
    payment.as_of = outcome.occurred_at or at
    return Change.PROGRESSED


def _is_old(payment: Payment, to: PaymentStatus, outcome: PaymentOutcome) -> bool:
    """Say whether something newer is known: by the time at the provider, in the same second by the order of steps."""
    if payment.held_at is not None:
        return True
    if outcome.occurred_at is None or payment.as_of is None:
        return False
    known = payment.as_of.replace(microsecond=0)
    if outcome.occurred_at != known or payment.status not in PAYMENT_ORDER:
        return outcome.occurred_at < known
    return PAYMENT_ORDER.index(to) <= PAYMENT_ORDER.index(PaymentStatus(payment.status))


def _move(payment: Payment, to: PaymentStatus, outcome: PaymentOutcome, at: datetime) -> None:
    payment.move(to, at=at, by=outcome.actor, because=outcome.reason)
    payment.unflag()


def _note_failure(payment: Payment, failure: Failure | None) -> None:
    payment.failure_code = failure.code[:100] if failure else "declined"
    payment.failure_message = failure.message if failure else ""


def _clear_failure(payment: Payment) -> None:
    payment.failure_code, payment.failure_message = "", ""
