"""Secrets of accounts, by name.

The database holds names only; values are in the environment or AWS Secrets Manager.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection

from common import database, secrets
from payments.models.account import KEY, WEBHOOK_SECRETS, Mode, ProviderAccount

_SECONDS = 60
"""How long accounts are believed to be as they were: a call to a provider waits for no database."""
_SECONDS_OF_UNKNOWN = 1
"""And how long that there is no such account."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of an account."""

    key_name: str
    mode: Mode


_known: tuple[float, Mapping[tuple[str, str], _Known]] = (float("-inf"), {})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecrets:
    """The secrets that sign deliveries to an endpoint.

    ``own``: they are of its account alone.
    """

    name: str
    values: Sequence[str] = field(repr=False)
    own: bool


def key_name(*, provider: str, account: str) -> str:
    """Return the name of an account's key: its own, or the platform's."""
    known = _find(provider, account)
    return (known.key_name if known is not None else "") or f"{provider.upper()}{KEY}"


def is_own(name: str, *, provider: str) -> bool:
    """Say whether a key is an account's own, and not the platform's."""
    return name != f"{provider.upper()}{KEY}"


def mode_of(*, provider: str, account: str) -> Mode | None:
    """Return the mode of a registered account; None if unregistered."""
    known = _find(provider, account)
    return known.mode if known is not None else None


def find_webhook_secrets(*, provider: str, account: str) -> WebhookSecrets | None:
    """Return the webhook secrets of an account; None if unregistered.

    Asks the database each time: what an account's secret was a minute ago proves nothing.
    """
    if not account:
        return platform_webhook_secrets(provider=provider)
    rows = ProviderAccount.objects.filter(provider=provider, reference=account)
    name = rows.values_list("webhook_secrets_name", flat=True).first()
    if name is None:
        return None
    if not name:
        return platform_webhook_secrets(provider=provider)
    return WebhookSecrets(name=name, values=secrets.current_list(name), own=True)


def platform_webhook_secrets(*, provider: str) -> WebhookSecrets:
    """Return what signs the deliveries to the platform's own endpoint."""
    name = f"{provider.upper()}{WEBHOOK_SECRETS}"
    return WebhookSecrets(name=name, values=secrets.current_list(name), own=False)


def forget() -> None:
    """Read the accounts again at once."""
    global _known  # one answer for the process
    _known = (float("-inf"), {})


def _find(provider: str, account: str) -> _Known | None:
    """Return what is known of an account; one that is not is looked for at once: it may be new."""
    if not account:
        return None
    key = (provider, account)
    return _accounts(younger_than=_SECONDS).get(key) or _accounts(younger_than=_SECONDS_OF_UNKNOWN).get(key)


def _accounts(*, younger_than: float) -> Mapping[tuple[str, str], _Known]:
    global _known
    read_at, accounts = _known
    if time.monotonic() - read_at > younger_than:
        rows = ProviderAccount.objects.exclude(reference="")
        accounts = {
            (provider, reference): _Known(key_name=name, mode=Mode(mode))
            for provider, reference, name, mode in rows.values_list("provider", "reference", "secret_name", "mode")
        }
        _known = (time.monotonic(), accounts)
        if not connection.in_atomic_block:
            database.leave_database()  # who asked is on the way to a provider, and holds no connection there
    return accounts
