"""Reading at the provider what a command is about, and wording its answer. Outside any transaction (P6)."""

from collections.abc import Iterator
from contextlib import contextmanager

from common import database
from payments import throttle
from payments.models import Command
from payments.outcome_types import Outcome, PaymentOutcome, ProviderPayment, ProviderRefund
from payments.providers.base import (
    MissingError,
    NotSentError,
    OutcomeUnknownError,
    Provider,
    ProviderError,
    RefusedError,
)


def fetch(command: Command, provider: Provider) -> ProviderPayment:
    """Read the payment of a command.

    Raises:
        ProviderError: It cannot be read; never a refusal.
    """
    with _saying_nothing():
        return provider.fetch(ref=command.payment.provider_ref, account=command.payment.provider_account)


def find(command: Command, provider: Provider) -> ProviderPayment | None:
    """Find the payment that a command has made, by its key. Raises as :func:`fetch`."""
    key, account = command.idempotency_key, command.payment.provider_account
    with _saying_nothing():
        return provider.find(key=key, near=command.created_at, account=account, on_page=lambda: count(command))


def find_refund(command: Command, provider: Provider) -> ProviderRefund | None:
    """Find the refund that a command has made, by its key. Raises as :func:`fetch`."""
    payment = command.payment
    with _saying_nothing():
        return provider.find_refund(
            ref=payment.provider_ref, key=command.idempotency_key, account=payment.provider_account
        )


def count(command: Command) -> None:
    """Count a call beside those for which the command was let through, and leave the database again."""
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
