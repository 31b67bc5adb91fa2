"""What makes an event authentic for its account.

Asked at intake, kept with it, and asked again at each retry.
"""

from dataclasses import dataclass

from django.db import IntegrityError

from common import database
from common.errors import SpokenError
from payments.providers import registry
from payments.providers.errors import InvalidSignatureError
from payments.providers.notifications import Notification
from webhooks.models import Event

_GUARD = "event_is_proven"
"""The trigger that holds the secret's name against the operator's, when an event is stored and when it is applied."""


class NotProvenError(SpokenError):
    """A stored event is not authentic for its account today."""


class WrongModeError(SpokenError):
    """A live event on a test installation, or the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How an event was verified: way, account and secret's name."""

    endpoint: str
    account: str
    secret_name: str


def of_delivery(*, notification: Notification, endpoint: str, secret_name: str, own: bool) -> Proof:
    """Return the proof of a verified delivery.

    ``own``: the secret is that of the endpoint's account alone.

    Such an account does not name itself. An endpoint of an account takes events of it and of no other; the platform's
    takes its own and those of connected accounts. That it takes none of an account with secrets of its own is said by
    the database, when the event is stored.

    Raises:
        InvalidSignatureError: It speaks of an account that this endpoint does not speak for.
    """
    account = notification.account or (endpoint if own else "")
    if endpoint and account != endpoint:
        raise InvalidSignatureError(f"Events of account {endpoint} alone are taken here.")
    return Proof(endpoint=endpoint, account=account, secret_name=secret_name)


def of_reading(*, provider: str, notification: Notification, account: str) -> Proof:
    """Return the proof of an object read from an account's API.

    Raises:
        InvalidSignatureError: It is of another account.
    """
    if notification.account != account:
        raise InvalidSignatureError(f"{notification.event_id} is not of the account that was read.")
    return Proof(endpoint=account, account=account, secret_name=notification.key_name or f"{provider.upper()}_API_KEY")


def check(event: Event) -> None:
    """Ask of a stored event again what was asked at intake.

    Raises:
        NotProvenError: It is not authentic for its account: its proof is of another, or there is none.
        WrongModeError: It is of the other mode than this installation.
    """
    if event.proven_account is None or not event.secret_name:
        raise NotProvenError("it is not known how this event was verified")
    if event.proven_account != event.account or event.endpoint not in ("", event.account):
        raise NotProvenError("it was verified for another account than its own")
    if event.live != registry.get(event.provider).is_live:
        raise WrongModeError(f"{event.event_id} is {'live' if event.live else 'a test'}, this installation is not.")


def is_refusal(error: IntegrityError) -> bool:
    """Tell whether the database refuses an event for an outdated secret."""
    return database.violated(error) == _GUARD
