"""Deliveries to a webhook: verified, then stored.

As an event, or as a notice of something to look up.
"""

from dataclasses import replace
from datetime import datetime

from payments.providers import registry
from payments.providers.errors import InvalidSignatureError
from payments.providers.notifications import DeliveredRequest
from webhooks import inbox, notices, proofs
from webhooks.models import EventSource


def receive(*, provider: str, request: DeliveredRequest, account: str, now: datetime) -> inbox.Receipt:
    """Take in a delivery, without asking the provider anything.

    Must be called outside a transaction.

    ``account`` is the one whose endpoint was called, empty for the platform's. ``now`` is for the age of the
    signature; when it was received is told by the database.

    Raises:
        InvalidSignatureError: It is not authentic for the account that it speaks of. Nothing is stored.
    """
    secrets = registry.get(provider).webhook_secrets(account=account)
    if secrets is None:
        raise InvalidSignatureError("No operator has this account.")
    notification = registry.get(provider).authenticate(request=request, secrets=secrets.values, now=now)
    proof = proofs.of_delivery(notification=notification, endpoint=account, secret_name=secrets.name, own=secrets.own)
    notification = replace(notification, account=proof.account)
    if notification.lookup_ref:
        return notices.store(notification, provider=provider, request=request, proof=proof)
    return inbox.ingest(notification, EventSource.WEBHOOK, provider=provider, proof=proof)
