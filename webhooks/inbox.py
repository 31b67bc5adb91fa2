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

from django.db import connection, transaction

from common import database, errors, ids, json_text, loops
from common.errors import UnavailableError
from payments.errors import UnknownPaymentError
from payments.providers import own_keys, registry
from payments.providers.base import DeliveredRequest, Notification, ProviderError
from webhooks import locks, routing
from webhooks.models import RESULT_FIELDS, Event, EventSource, EventStatus

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
    *, provider: str, request: DeliveredRequest, secrets: Sequence[str], account: str, now: datetime
) -> Receipt:
    """Take in a delivery. Must be called outside a transaction.

    ``account`` is the one whose endpoint was called, empty for the platform's; its events only may come there. ``now``
    is for the age of the signature; when the event was received is told by the database.

    Raises:
        InvalidSignatureError: It is not authentic. Nothing is stored.
        UnavailableError: What it is about could not be looked up at the provider. Nothing is stored; it comes again.
    """
    notification = registry.get(provider).authenticate(request=request, secrets=secrets, now=now)
    if own_keys.webhook_secrets(account) is not None and not notification.account:
        notification = replace(notification, account=account)  # an account of its own does not name itself
    if notification.lookup_ref:
        notification = _look_up(provider, notification)
    return take_in(provider=provider, notification=notification, source=EventSource.WEBHOOK, account=account)


def take_in_read(*, provider: str, notification: Notification) -> Receipt:
    """Take in an event that was read from the provider's own list: its webhook never came. Outside a transaction."""
    return take_in(
        provider=provider, notification=notification, source=EventSource.RECOVERED, account=notification.account
    )


def take_in_attested(*, provider: str, notification: Notification, by: str, because: str) -> Receipt:
    """Take in a payment as the provider shows it, in the place of an event that cannot be had.

    ``by`` is the person who vouches for it, ``because`` their reason. Must be called outside a transaction.
    """
    reading = routing.read(provider=provider, notification=notification)
    event = _event(provider, notification, reading, EventSource.ATTESTED)
    event.attested_by, event.attested_because = by, because
    return _take_in(event, reading, account=notification.account)


def take_in(*, provider: str, notification: Notification, source: EventSource, account: str) -> Receipt:
    """Store an authentic notification and apply it; a copy of one that we have changes nothing."""
    reading = routing.read(provider=provider, notification=notification)
    return _take_in(_event(provider, notification, reading, source), reading, account=account)


def _take_in(event: Event, reading: routing.Reading, *, account: str) -> Receipt:
    with database.use_case():
        if not _insert(event):
            return Receipt.DUPLICATE
        if account and event.account != account:
            error = f"came to the endpoint of account {account}"
            event.keep(status=EventStatus.FAILED, error=error, at=event.received_at)
        else:
            _apply(event, reading, event.received_at)
        database.update_together((event, RESULT_FIELDS))
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
        database.update_together((event, RESULT_FIELDS))
    return event.next_attempt_at is None and event.status in (EventStatus.APPLIED, EventStatus.IGNORED)


def _look_up(provider: str, notification: Notification) -> Notification:
    database.leave_database()
    try:
        return registry.get(provider).look_up(notification=notification)
    except ProviderError as error:
        raise UnavailableError("What this notification is about could not be looked up. Send it again.") from error


def _event(provider: str, notification: Notification, reading: routing.Reading, source: EventSource) -> Event:
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
    """Apply under a savepoint, so that what fails leaves the event itself to be kept."""
    event.attempts += 1
    try:
        with transaction.atomic():
            effect = routing.apply(event, reading)
    except UnknownPaymentError as error:
        event.keep(status=EventStatus.ORPHANED, error=f"no such payment: {error}", at=now)
    except Exception as error:  # whatever it is, the event must not be lost
        logger.exception("An event could not be applied; it is kept.", extra={"event": event.event_id})
        event.keep(status=EventStatus.FAILED, error=errors.describe(error), at=now)
    else:
        event.settle(effect=effect, at=now)
