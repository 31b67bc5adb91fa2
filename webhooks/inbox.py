"""The one way in for events: verify, store, apply and mark in one transaction.

One event, one effect (P4): the unique constraint lets one copy in, and its mark commits with all that it changes. What
cannot be applied now is kept with its error and tried again: an event may overtake our own commit.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from common import database, errors, ids, json_text, loops
from common.errors import UnavailableError
from payments.errors import EarlyNewsError, UnknownPaymentError
from payments.providers import own_keys, registry
from payments.providers.base import DeliveredRequest, InvalidSignatureError, Notification, ProviderError
from webhooks import locks, proofs, routing
from webhooks.models import RESULT_FIELDS, Event, EventSource, EventStatus
from webhooks.proofs import Proof

logger = logging.getLogger("holdfast.webhooks")

_GIVEN = [field for field in Event._meta.local_concrete_fields if field.name != "received_at"]
_INSERT = (
    f'INSERT INTO "{Event._meta.db_table}" ({", ".join(str(field.column) for field in _GIVEN)}, received_at) '  # noqa: S608
    f"VALUES ({'%s, ' * len(_GIVEN)}now()) ON CONFLICT (event_id, provider, account) DO NOTHING RETURNING received_at"
)


class Receipt(StrEnum):
    """What became of a delivery; all of these are answered 200."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    KEPT = "kept"


def receive(
    *,
    provider: str,
    request: DeliveredRequest,
    secrets: Sequence[str],
    account: str,
    now: datetime,
    secret_name: str = "",
    own: bool = False,
) -> Receipt:
    """Take in a delivery. Must be called outside a transaction.

    ``account`` is the one whose endpoint was called, empty for the platform's. ``secret_name`` names ``secrets``, the
    platform's if it is empty; ``own`` says that they are those of this account alone. ``now`` is for the age of the
    signature; when the event was received is told by the database.

    Raises:
        InvalidSignatureError: It is not authentic for the account that it speaks of. Nothing is stored.
        UnavailableError: What it is about could not be looked up at the provider. Nothing is stored; it comes again.
    """
    notification = registry.get(provider).authenticate(request=request, secrets=secrets, now=now)
    name = secret_name or f"{provider.upper()}_WEBHOOK_SECRETS"
    proof = proofs.of_delivery(notification=notification, endpoint=account, secret_name=name, own=own)
    notification = replace(notification, account=proof.account)
    if notification.lookup_ref:
        notification = _look_up(provider, notification)
    return _take_in(provider, notification, EventSource.WEBHOOK, proof)


def take_in_read(*, provider: str, notification: Notification, account: str) -> Receipt:
    """Take in an event that was read from the list of an account: its webhook never came. Outside a transaction.

    Raises:
        InvalidSignatureError: This list proves nothing for its account. Nothing is stored.
    """
    proof = proofs.of_reading(provider=provider, notification=notification, account=account)
    return _take_in(provider, notification, EventSource.RECOVERED, proof)


def take_in_attested(*, provider: str, notification: Notification, by: str, because: str) -> Receipt:
    """Take in a payment as the provider shows it, in the place of an event that cannot be had.

    ``by`` is the person who vouches for it, ``because`` their reason. Must be called outside a transaction.

    Raises:
        InvalidSignatureError: The key that it was read with is not the account's any more. Nothing is stored.
    """
    proof = proofs.of_reading(provider=provider, notification=notification, account=notification.account)
    return _take_in(provider, notification, EventSource.ATTESTED, proof, by=by, because=because)


def _take_in(
    provider: str, notification: Notification, source: EventSource, proof: Proof, *, by: str = "", because: str = ""
) -> Receipt:
    """Store an authentic notification and apply it; a copy of one that we have changes nothing."""
    reading = routing.read(provider=provider, notification=notification)
    event = _event(provider, notification, reading, source, proof)
    event.attested_by, event.attested_because = by, because
    try:
        return _store(event, reading)
    except IntegrityError as error:
        if not proofs.is_refusal(error):
            raise
        own_keys.forget()
        raise InvalidSignatureError("Its secret is not one of the account that it speaks of.") from error


def _store(event: Event, reading: routing.Reading) -> Receipt:
    with database.use_case():
        if not _insert(event):
            return Receipt.DUPLICATE
        _apply(event, reading, event.received_at)
    if event.status in (EventStatus.APPLIED, EventStatus.IGNORED):
        return Receipt.APPLIED if event.status == EventStatus.APPLIED else Receipt.IGNORED
    return Receipt.KEPT


def retry_due(*, limit: int = 500) -> int:
    """Try the events that are due again, each in a transaction of its own, and return how many were applied.

    Safe when two run: an event that somebody else has locked is left to them.
    """
    due = locks.due().values_list("pk", flat=True)[:limit]
    return loops.each(due, lambda event_id: retry(event_id=event_id), name="retry_events").done


def retry(*, event_id: UUID) -> bool:
    """Try one stored event again and say whether it is settled now. Must be called outside a transaction."""
    with database.use_case():
        event = locks.find_open_for_update(event_id=event_id)
        if event is None:
            return False
        notification = Notification(
            event_id=event.event_id,
            type=event.type,
            account=event.account,
            live=event.live,
            created_at=event.occurred_at,
            api_version=event.api_version,
            payload=event.payload,
            object_ref=event.object_ref,
        )
        reading = routing.read(provider=event.provider, notification=notification)
        _apply(event, reading, event.db_now)  # type: ignore[attr-defined]  # annotated by the lock
    return event.next_attempt_at is None and event.status in (EventStatus.APPLIED, EventStatus.IGNORED)


def _look_up(provider: str, notification: Notification) -> Notification:
    database.leave_database()
    try:
        return registry.get(provider).look_up(notification=notification)
    except ProviderError as error:
        raise UnavailableError("What this notification is about could not be looked up. Send it again.") from error


def _event(
    provider: str, notification: Notification, reading: routing.Reading, source: EventSource, proof: Proof
) -> Event:
    amount, currency = routing.captured(reading)
    return Event(
        id=ids.new_id(),
        provider=provider,
        account=notification.account,
        event_id=notification.event_id,
        type=notification.type,
        object_ref=notification.object_ref,
        live=notification.live,
        api_version=notification.api_version,
        source=source,
        endpoint=proof.endpoint,
        proven_account=proof.account,
        secret_name=proof.secret_name,
        payload=json_text.storable(dict(notification.payload)),
        captured_amount=amount,
        captured_currency=currency,
        occurred_at=notification.created_at,
        status=EventStatus.FAILED,
        error="not applied yet",
    )


def _insert(event: Event) -> bool:
    """Insert the event unless it is there already; a copy being applied elsewhere at this moment is waited for."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, database.prepared(_GIVEN, event, add=True))
        inserted = cursor.fetchone()
    if inserted is None:
        return False
    (event.received_at,) = inserted
    event._state.adding = False
    return True


def _apply(event: Event, reading: routing.Reading, now: datetime) -> None:
    """Apply and mark under a savepoint, so that what fails leaves the event itself to be kept.

    What the database would say only at COMMIT is asked before the savepoint is left: it looks for the event's mark.
    """
    event.attempts += 1
    was = event.payment_id
    try:
        with transaction.atomic():
            effect = routing.apply(event, reading)
            event.settle(effect=effect, at=now)
            database.update_together((event, RESULT_FIELDS))
            if effect is not None:
                database.check_constraints()
    except EarlyNewsError as error:
        event.payment_id = error.payment_id
        event.wait(error=str(error), at=now, again=error.again)
        database.update_together((event, RESULT_FIELDS))
    except UnknownPaymentError as error:
        _keep(event, EventStatus.ORPHANED, f"no such payment: {error}", now, payment_id=was)
    except Exception as error:  # whatever it is, the event must not be lost
        logger.exception("An event could not be applied; it is kept.", extra={"event": event.event_id})
        _keep(event, EventStatus.FAILED, errors.describe(error), now, payment_id=was)


def _keep(event: Event, status: EventStatus, error: str, now: datetime, *, payment_id: UUID | None) -> None:
    event.payment_id = payment_id
    event.keep(status=status, error=error, at=now)
    database.update_together((event, RESULT_FIELDS))
