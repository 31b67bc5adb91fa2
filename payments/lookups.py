"""Look-ups at the provider, and the wording of its answers.

Outside any transaction (P6).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from common import database
from payments import throttle
from payments.models import Command
from payments.outcome_types import Outcome, PaymentOutcome, ProviderPayment, ProviderRefund
from payments.providers.base import FindsByKey, Provider
from payments.providers.errors import MissingError, NotSentError, OutcomeUnknownError, ProviderError, RefusedError
from payments.providers.notifications import Unreadable

T = TypeVar("T", ProviderPayment, ProviderRefund)

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far a provider's clock may be behind ours."""


def fetch(command: Command, provider: Provider) -> ProviderPayment:
    """Read the payment of a command.

    Raises:
        ProviderError: It cannot be read; never a refusal.
    """
    with _saying_nothing():
        return provider.fetch(ref=command.payment.provider_ref, account=command.payment.provider_account)


def find(command: Command, provider: Provider) -> ProviderPayment | None:
    """Find the payment that a command has made.

    By its key, or else by our id of the payment. Raises as :func:`fetch`.
    """
    account, near = command.payment.provider_account, command.created_at
    with _saying_nothing():
        if isinstance(provider, FindsByKey):
            key = command.idempotency_key
            return provider.find(key=key, near=near, account=account, on_page=lambda: count(command))
        made = provider.list_payments(since=near - CLOCKS_DIFFER, account=account)
        return _first(made, lambda theirs: theirs.payment_id == command.payment_id)


def find_refund(command: Command, provider: Provider) -> ProviderRefund | None:
    """Find the refund that a command has made.

    By its key, or else by our id of the refund. Raises as :func:`fetch`.
    """
    ref, account = command.payment.provider_ref, command.payment.provider_account
    with _saying_nothing():
        if isinstance(provider, FindsByKey):
            return provider.find_refund(ref=ref, key=command.idempotency_key, account=account)
        made = provider.list_refunds(ref=ref, account=account)
        return _first(made, lambda theirs: theirs.refund_id == command.refund_id)


def _first(rows: Iterator[T | Unreadable], is_it: Callable[[T], bool]) -> T | None:
    """Return the first row that is it.

    Raises:
        UnreadableError: None is, and it may be among what cannot be read.
    """
    unreadable = None
    for row in rows:
        if isinstance(row, Unreadable):
            unreadable = unreadable or row.error
        elif is_it(row):
            return row
    if unreadable is not None:
        raise unreadable
    return None


def count(command: Command) -> None:
    """Count one more call of a command, and leave the database.

    Beside those that were counted when the command was let through.
    """
    throttle.count(provider=command.payment.provider, account=command.payment.provider_account)
    database.leave_database()


def outcome(command: Command, outcome: Outcome, **known: object) -> PaymentOutcome:
    """Word the answer to a command."""
    known.setdefault("reason", f"{command.kind}: {outcome}")
    return PaymentOutcome(
        provider=command.payment.provider,
        payment_id=command.payment_id,
        actor=f"provider:{command.payment.provider}",
        command=command,
        kind=outcome,
        **known,  # type: ignore[arg-type]  # the fields of PaymentOutcome
    )


def unknown(command: Command, error: ProviderError) -> PaymentOutcome:
    """Word an answer that does not say what came of a command."""
    is_not_sent = isinstance(error, NotSentError)
    return outcome(
        command,
        Outcome.UNKNOWN,
        error=f"not sent: {error}" if is_not_sent else str(error),
        request_id=error.request_id,
        retry_after=error.retry_after if isinstance(error, NotSentError) else None,
        not_taken=is_not_sent,
        is_silent=isinstance(error, NotSentError | OutcomeUnknownError),
        answer_saved=isinstance(error, OutcomeUnknownError) and error.answer_saved,
    )


@contextmanager
def _saying_nothing() -> Iterator[None]:
    """Take a question that is refused for one that was not answered."""
    try:
        yield
    except RefusedError as error:
        raise MissingError(str(error), request_id=error.request_id) from error
