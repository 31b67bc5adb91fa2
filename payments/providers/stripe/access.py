"""Keys and webhook secrets of accounts at Stripe."""

from django.core.validators import RegexValidator

from common import secrets
from payments import credentials
from payments.credentials import WebhookSecrets
from payments.models.account import Mode
from payments.providers.errors import NotSentError
from payments.providers.stripe import keys, settings
from payments.providers.stripe.settings import NAME

check_account = RegexValidator(r"\Aacct_[A-Za-z0-9_]+\Z", "The id of a Stripe account, such as acct_1KayaksAbc.")


def own_key(account: str) -> str:
    """Return an account's own key; empty: it uses the platform's.

    Raises:
        NotSentError: The key is not there, or is not for this installation. The platform's is never used instead.
    """
    name = key_name(account)
    is_own = credentials.is_own(name, provider=NAME)
    key = secrets.current(name)
    if is_own and not key:
        raise NotSentError(f"the secret {name} is missing")
    problem = settings.current().why_not(key)
    if problem:
        raise NotSentError(f"the secret {name} {problem}")
    _require_mode(account)
    return key if is_own else ""


def key_name(account: str) -> str:
    """Return the name of the key that an account is called with."""
    return credentials.key_name(provider=NAME, account=account)


def webhook_secrets(account: str) -> WebhookSecrets | None:
    """Return the webhook secrets of an account; None if unregistered.

    None that can be guessed counts where money is real; without one, nothing is authentic there.
    """
    found = credentials.find_webhook_secrets(provider=NAME, account=account)
    if found is None or not settings.current().is_live:
        return found
    values = [value for value in found.values if not keys.can_be_guessed(value)]
    return WebhookSecrets(name=found.name, values=values, own=found.own)


def _require_mode(account: str) -> None:
    here = Mode.LIVE if settings.current().is_live else Mode.TEST
    mode = credentials.mode_of(provider=NAME, account=account)
    if mode not in (None, here):
        raise NotSentError(f"the account {account} is a {mode} account, and this is a {here} installation")
