"""Operators with a Stripe account of their own rather than a connected one: its secrets, by name.

``Operator.stripe_secret`` names them, such as STRIPE_KAYAKS; the environment (or AWS Secrets Manager) has
``STRIPE_KAYAKS_API_KEY`` and ``STRIPE_KAYAKS_WEBHOOK_SECRETS``. The database never holds a key.
"""

import time
from typing import Any

from django.conf import settings

from payments.providers import stripe_keys
from payments.providers.base import NotSentError
from tenants.models import Operator

_SECONDS = 60
"""How long it is believed which operators have keys of their own: a call to a provider waits for no database."""

_known: tuple[float, dict[str, str]] = (float("-inf"), {})


def key_of(account: str) -> str:
    """Return an account's own key, if it has one that may be used here; else nothing. Calls ask :func:`key_to_call`."""
    name = _names().get(account, "")
    key = _read(f"{name}_API_KEY") if name else ""
    return "" if stripe_keys.why_not(key) else key


def key_to_call(account: str) -> str:
    """Return the key that an account is called with: its own, or empty for the platform's.

    Raises:
        NotSentError: The key is not there, or is not for this installation. The platform's is never used instead.
    """
    name = _names().get(account, "")
    key = _read(f"{name}_API_KEY") if name else settings.STRIPE_API_KEY
    if name and not key:
        raise NotSentError(f"the secret {name}_API_KEY is missing")
    problem = stripe_keys.why_not(key)
    if problem:
        raise NotSentError(f"the secret {name or 'STRIPE'}_API_KEY {problem}")
    return key if name else ""


def webhook_secrets(account: str) -> list[str] | None:
    """Return what an account's own deliveries are signed with; None if they are the platform's."""
    name = _names().get(account, "")
    return [part.strip() for part in _read(f"{name}_WEBHOOK_SECRETS").split(",")] if name else None


def is_there(name: str) -> bool:
    """Say whether the secrets of a name are in the environment."""
    return bool(_read(f"{name}_API_KEY") and _read(f"{name}_WEBHOOK_SECRETS"))


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


def _read(name: str) -> str:
    env: Any = settings.ENVIRONMENT
    return str(env.secret(name))
