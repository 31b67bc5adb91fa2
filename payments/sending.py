"""Sending a claimed command: which call to make, and what its answer means. Outside any transaction (P6)."""

from collections.abc import Callable
from datetime import timedelta

from common import database
from payments import commands, pacing
from payments.models import Command
from payments.outcomes import Outcome, PaymentOutcome, ProviderPayment
from payments.providers import registry
from payments.providers.base import (
    DeclinedError,
    KeyUsedError,
    NotSentError,
    OutcomeUnknownError,
    Provider,
    RefusedError,
)
from payments.states import CommandKind

KEY_LIFETIME = timedelta(hours=23)
"""Stripe forgets idempotency keys after 24 hours; an older command reads before it writes."""


def send(command: Command) -> PaymentOutcome:
    """Send a claimed command and say what came of it. Never raises for what a provider does.

    Must be called outside a transaction; no database connection is held while the provider is waited for (P6).
    """
    if command.is_wanted and _needs_look(command):
        _spend(command)
    database.leave_database()
    provider = registry.get(command.payment.provider)
    try:
        return _answer(command, _SENDERS[command.kind] if command.is_wanted else _leave, provider)
    except NotSentError as error:
        wait = error.retry_after
        return _outcome(command, Outcome.UNKNOWN, error=f"not sent: {error}", retry_after=wait, not_taken=True)
    except RefusedError as error:
        return _refused(command, error, provider)
    except OutcomeUnknownError as error:
        saved = error.answer_saved
        return _outcome(command, Outcome.UNKNOWN, error=str(error), request_id=error.request_id, answer_saved=saved)
    except KeyUsedError as error:
        return _outcome(command, Outcome.UNKNOWN, error=str(error), request_id=error.request_id)


Sender = Callable[[Command, Provider], ProviderPayment | None]


def _answer(command: Command, sender: Sender | None, provider: Provider) -> PaymentOutcome:
    if sender is None:
        return _refund(command, provider)
    found = sender(command, provider)
    if found is None:
        return _outcome(command, Outcome.CANCELED, reason="nothing was ever made at the provider")
    return _outcome(command, found.outcome, payment=found, failure=found.failure, request_id=found.request_id)


def _authorize(command: Command, provider: Provider) -> ProviderPayment:
    account, key = command.payment.provider_account, command.idempotency_key
    if _needs_look(command):
        found = provider.find(key=key, near=command.created_at, account=account)
        if found is not None:
            return found
    return provider.authorize(parameters=command.parameters, key=key, account=account)


def _leave(command: Command, provider: Provider) -> ProviderPayment | None:
    """Take no money for what nobody wants any more: say how it stands, and make sure that it stays so.

    A confirmation or capture that was sent before may still have its effect: the cancellation behind it finds out.
    """
    if command.payment.provider_ref:
        return provider.fetch(ref=command.payment.provider_ref, account=command.payment.provider_account)
    if command.kind in commands.STARTING and command.may_have_reached_provider:
        return _abandon(command, provider)
    return None


def _abandon(command: Command, provider: Provider) -> ProviderPayment | None:
    account, key = command.payment.provider_account, command.idempotency_key
    if _needs_look(command):
        _spend(command)
        database.leave_database()
        found = provider.find(key=key, near=command.created_at, account=account)
        if found is not None or _key_is_forgotten(command):
            return found
    return provider.abandon(parameters=command.parameters, key=key, account=account)


def _confirm(command: Command, provider: Provider) -> ProviderPayment:
    ref, account = command.payment.provider_ref, command.payment.provider_account
    if _needs_look(command):
        found = provider.fetch(ref=ref, account=account)
        if found.outcome is not Outcome.REQUIRES_PAYMENT_METHOD:
            return found
    return provider.confirm(ref=ref, parameters=command.parameters, key=_key_after_error(command), account=account)


def _capture(command: Command, provider: Provider) -> ProviderPayment:
    ref, account = command.payment.provider_ref, command.payment.provider_account
    if _needs_look(command):
        found = provider.fetch(ref=ref, account=account)
        if found.outcome is not Outcome.HELD:
            return found
    return provider.capture(ref=ref, parameters=command.parameters, key=_key_after_error(command), account=account)


def _cancel(command: Command, provider: Provider) -> ProviderPayment | None:
    ref, account = command.payment.provider_ref, command.payment.provider_account
    if not ref:
        return None  # its authorization is finished (commands go in order) and made nothing
    if _needs_look(command):
        found = provider.fetch(ref=ref, account=account)
        if found.outcome in (Outcome.CANCELED, Outcome.CAPTURED):
            return found
    return provider.cancel(ref=ref, parameters=command.parameters, key=_key_after_error(command), account=account)


def _refund(command: Command, provider: Provider) -> PaymentOutcome:
    ref, account, key = command.payment.provider_ref, command.payment.provider_account, command.idempotency_key
    found = provider.find_refund(ref=ref, key=key, account=account) if _needs_look(command) else None
    if found is None:
        found = provider.refund(ref=ref, parameters=command.parameters, key=key, account=account)
    return _outcome(command, Outcome.PROCESSING, refund=found, request_id=found.request_id)


_SENDERS: dict[str, Sender | None] = {
    CommandKind.CREATE: _authorize,
    CommandKind.CONFIRM: _confirm,
    CommandKind.AUTHORIZE: _authorize,
    CommandKind.CHARGE: _authorize,
    CommandKind.CAPTURE: _capture,
    CommandKind.CANCEL: _cancel,
    CommandKind.REFUND: None,
}


def _refused(command: Command, error: RefusedError, provider: Provider) -> PaymentOutcome:
    """Let the object's state decide: a capture that is refused because the money was captured already is no refusal."""
    found = error.payment
    if command.kind in (CommandKind.CAPTURE, CommandKind.CANCEL) and command.payment.provider_ref:
        _spend(command)
        database.leave_database()
        try:
            found = found or provider.fetch(ref=command.payment.provider_ref, account=command.payment.provider_account)
        except (OutcomeUnknownError, NotSentError) as unknown:
            return _outcome(command, Outcome.UNKNOWN, error=str(unknown), request_id=unknown.request_id)
        except RefusedError:
            found = None  # the provider does not know the payment: the refusal stands
        if found is not None and found.outcome in (Outcome.CAPTURED, Outcome.CANCELED):
            return _outcome(command, found.outcome, payment=found, error=str(error), request_id=error.request_id)
    outcome = Outcome.DECLINED if isinstance(error, DeclinedError) else Outcome.REFUSED
    return _outcome(
        command, outcome, payment=found, failure=error.failure, error=str(error), request_id=error.request_id
    )


def _spend(command: Command) -> None:
    """Count a second call, beside that for which the command was let through."""
    pacing.spend(provider=command.payment.provider, account=command.payment.provider_account)


def _outcome(command: Command, outcome: Outcome, **known: object) -> PaymentOutcome:
    known.setdefault("reason", f"{command.kind}: {outcome}")
    return PaymentOutcome(
        provider=command.payment.provider,
        payment_id=command.payment_id,
        actor=f"provider:{command.payment.provider}",
        command=command,
        outcome=outcome,
        **known,  # type: ignore[arg-type]  # the fields of PaymentOutcome
    )


def _needs_look(command: Command) -> bool:
    """Whether the key protects nothing: the provider forgot it, or saved a 5xx under it that says nothing."""
    return _key_is_forgotten(command) or command.answer_saved


def _key_is_forgotten(command: Command) -> bool:
    first = command.first_sent_at or command.created_at
    return (command.leased_until or first) - commands.lease() - first > KEY_LIFETIME


def _key_after_error(command: Command) -> str:
    """Return the key, or a new one after a saved 5xx: the state was read, and neither call can have effect twice."""
    key = command.idempotency_key
    return f"{key}:{command.attempts}" if _needs_look(command) else key
