"""Operators with a Stripe account of their own rather than a connected one: its secrets, by name.

``Operator.stripe_secret`` names them, such as STRIPE_KAYAKS; the environment (or AWS Secrets Manager) has
``STRIPE_KAYAKS_API_KEY`` and ``STRIPE_KAYAKS_WEBHOOK_SECRETS``. The database never holds a key.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings

from common import secrets
from payments.providers.base import NotSentError
from payments.providers.stripe import keys
from tenants.models import PLATFORM_SECRET, Operator

_SECONDS = 60
"""How long it is believed which operators have keys of their own: a call to a provider waits for no database."""

_known: tuple[float, dict[str, str]] = (float("-inf"), {})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecrets:
    """What the deliveries to an endpoint are signed with, and the name of it; ``own``: it is of that account alone."""

    name: str
    values: Sequence[str] = field(repr=False)
    own: bool


def key_of(account: str) -> str:
    """Return an account's own key, if it has one that may be used here; else nothing. Calls ask :func:`key_to_call`."""
    name = _names().get(account, "")
    key = secrets.current(f"{name}_API_KEY") if name else ""
    return "" if keys.why_not(key) else key


def key_to_call(account: str) -> str:
    """Return the key that an account is called with: its own, or empty for the platform's.

    Raises:
        NotSentError: The key is not there, or is not for this installation. The platform's is never used instead.
    """
    name = _names().get(account, "")
    key = secrets.current(key_name(account))
    if name and not key:
        raise NotSentError(f"the secret {name}_API_KEY is missing")
    problem = keys.why_not(key)
    if problem:
        raise NotSentError(f"the secret {name or 'STRIPE'}_API_KEY {problem}")
    return key if name else ""


def key_name(account: str) -> str:
    """Return the name of the key that an account is called with: its own, or the platform's."""
    return f"{_names().get(account, '') or PLATFORM_SECRET}_API_KEY"


def webhook_secrets(account: str) -> WebhookSecrets | None:
    """Return what deliveries to an account's endpoint are signed with; None if no operator has that account.

    None that can be guessed counts where money is real; without one, nothing is authentic there.
    Asks the database each time: what an operator's secret was a minute ago proves nothing.
    """
    name = Operator.objects.filter(stripe_account=account).values_list("stripe_secret", flat=True).first()
    if name is None:
        return None
    if not name:
        return platform_webhook_secrets()
    given = secrets.current_list(f"{name}_WEBHOOK_SECRETS")
    values = [one for one in given if not (settings.STRIPE_LIVE_MODE and keys.can_be_guessed(one))]
    return WebhookSecrets(name=f"{name}_WEBHOOK_SECRETS", values=values, own=True)


def platform_webhook_secrets() -> WebhookSecrets:
    """Return what deliveries to the platform's endpoint are signed with."""
    return WebhookSecrets(
        name=f"{PLATFORM_SECRET}_WEBHOOK_SECRETS", values=secrets.current_list("STRIPE_WEBHOOK_SECRETS"), own=False
    )


def is_there(name: str) -> bool:
    """Say whether the secrets of a name are in the environment."""
    return bool(secrets.current(f"{name}_API_KEY") and secrets.current(f"{name}_WEBHOOK_SECRETS"))


def forget() -> None:
    """Look again at once which operators have keys of their own."""
    global _known  # one answer for the process
    _known = (float("-inf"), {})


def _names() -> dict[str, str]:
    global _known
    read_at, names = _known
    if time.monotonic() - read_at > _SECONDS:
        rows = Operator.objects.exclude(stripe_secret="").values_list("stripe_account", "stripe_secret")
        names = dict(rows)
        _known = (time.monotonic(), names)
    return names
