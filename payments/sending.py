"""Sending a claimed command, and the meaning of its answer.

Outside any transaction (P6).
"""

from collections.abc import Callable
from datetime import datetime

from common import database
from payments import commands, lookups, refusals
from payments.models import Command
from payments.outcome_types import Outcome, PaymentOutcome, ProviderPayment
from payments.providers import registry
from payments.providers.base import Holds, Provider
from payments.providers.errors import ProviderError, RefusedError, UnsupportedError
from payments.states import CommandKind


def send(command: Command) -> PaymentOutcome:
    """Send a claimed command and return its outcome.

    Never raises for what a provider does.

    Must be called outside a transaction; no database connection is held while the provider is waited for (P6).
    """
    database.leave_database()
    provider = registry.get(command.payment.provider)
    try:
        return _answer(command, _SENDERS[command.kind] if command.is_wanted else _leave, provider)
    except RefusedError as error:
        return refusals.decide(command, error, provider)
    except ProviderError as error:
        return lookups.unknown(command, error)


def count_calls(command: Command, *, now: datetime) -> int:
    """Count the calls that sending a command will take, at least."""
    return 2 if _needs_look(command, at=now) else 1


def reads_lists(command: Command) -> bool:
    """Whether a look for what a command made reads a list.

    Nobody knows how many pages that has.
    """
    return command.kind in commands.STARTING and command.attempts > 0


Sender = Callable[[Command, Provider], ProviderPayment | None]


def _answer(command: Command, sender: Sender | None, provider: Provider) -> PaymentOutcome:
    if sender is None:
        return _refund(command, provider)
    found = sender(command, provider)
    if found is None:
        return lookups.outcome(command, Outcome.CANCELED, reason="nothing was ever made at the provider")
    return lookups.outcome(command, found.outcome, payment=found, failure=found.failure, request_id=found.request_id)


def _authorize(command: Command, provider: Provider) -> ProviderPayment:
    account, key = command.payment.provider_account, command.idempotency_key
    if _needs_look(command):
        found = lookups.find(command, provider)
        if found is not None:
            return found
    return provider.authorize(parameters=command.parameters, key=key, account=account)


def _leave(command: Command, provider: Provider) -> ProviderPayment | None:
    """Take no money for what nobody wants any more: say how it stands, and make sure that it stays so.

    A confirmation or capture that was sent before may still have its effect: the cancellation behind it finds out.
    """
    if command.payment.provider_ref:
        return lookups.fetch(command, provider)
    if command.kind in commands.STARTING and command.may_have_reached_provider:
        return _abandon(command, provider)
    return None


def _abandon(command: Command, provider: Provider) -> ProviderPayment | None:
    account, key = command.payment.provider_account, command.idempotency_key
    if _needs_look(command):
        found = lookups.find(command, provider)
        if found is not None or _key_is_forgotten(command):
            return found
    return provider.abandon(parameters=command.parameters, key=key, account=account)


def _confirm(command: Command, provider: Provider) -> ProviderPayment:
    ref, account = command.payment.provider_ref, command.payment.provider_account
    if _needs_look(command):
        found = lookups.fetch(command, provider)
        if found.outcome is not Outcome.REQUIRES_PAYMENT_METHOD:
            return found
    return provider.confirm(ref=ref, parameters=command.parameters, key=_key_after_error(command), account=account)


def _capture(command: Command, provider: Provider) -> ProviderPayment:
    ref, account = command.payment.provider_ref, command.payment.provider_account
    if _needs_look(command):
        found = lookups.fetch(command, provider)
        if found.outcome is not Outcome.HELD:
            return found
    if not isinstance(provider, Holds):
        raise UnsupportedError(provider=provider.name, what="hold money")
    return provider.capture(ref=ref, parameters=command.parameters, key=_key_after_error(command), account=account)


def _cancel(command: Command, provider: Provider) -> ProviderPayment | None:
    ref, account = command.payment.provider_ref, command.payment.provider_account
    if not ref:
        return None  # its authorization is finished (commands go in order) and made nothing
    if _needs_look(command):
        found = lookups.fetch(command, provider)
        if found.outcome in (Outcome.CANCELED, Outcome.CAPTURED):
            return found
    return provider.cancel(ref=ref, parameters=command.parameters, key=_key_after_error(command), account=account)


def _refund(command: Command, provider: Provider) -> PaymentOutcome:
    ref, account, key = command.payment.provider_ref, command.payment.provider_account, command.idempotency_key
    found = lookups.find_refund(command, provider) if _needs_look(command) else None
    if found is None:
        found = provider.refund(ref=ref, parameters=command.parameters, key=key, account=account)
    return lookups.outcome(command, Outcome.PROCESSING, refund=found, request_id=found.request_id)


_SENDERS: dict[str, Sender | None] = {
    CommandKind.CREATE: _authorize,
    CommandKind.CONFIRM: _confirm,
    CommandKind.AUTHORIZE: _authorize,
    CommandKind.CHARGE: _authorize,
    CommandKind.CAPTURE: _capture,
    CommandKind.CANCEL: _cancel,
    CommandKind.REFUND: None,
}


def _needs_look(command: Command, *, at: datetime | None = None) -> bool:
    """Whether the key protects nothing: the provider forgot it, or saved a 5xx under it that says nothing."""
    return command.answer_saved or _key_is_forgotten(command, at=at)


def _key_is_forgotten(command: Command, *, at: datetime | None = None) -> bool:
    """Whether the provider knows a key no more at a time; unless one is given, at that of the claim."""
    if command.first_sent_at is None:
        return False
    at = at or (command.leased_until or command.first_sent_at) - commands.lease()
    return at - command.first_sent_at > registry.get(command.payment.provider).capabilities.key_lifetime


def _key_after_error(command: Command) -> str:
    """Return the key, or a new one after a saved 5xx: the state was read, and neither call can have effect twice."""
    key = command.idempotency_key
    return f"{key}:{command.attempts}" if _needs_look(command) else key
