"""From a notification to its row: every authentic one is stored."""

import hashlib

from django.core.exceptions import ValidationError
from django.db import DataError, connection

from common import database, ids, json_text
from payments.providers.notifications import Notification
from webhooks import routing
from webhooks.models import Event, EventSource, EventStatus
from webhooks.proofs import Proof

NOT_STORABLE = (DataError, ValidationError, ValueError, TypeError, OverflowError, RecursionError)
"""What the driver and the database raise of a value that no column can hold."""

_LONGEST_TEXT = 1024 * 1024

_GIVEN = [field for field in Event._meta.local_concrete_fields if field.name != "received_at"]
_INSERT = (
    f'INSERT INTO "{Event._meta.db_table}" ({", ".join(str(field.column) for field in _GIVEN)}, received_at) '  # noqa: S608
    f"VALUES ({'%s, ' * len(_GIVEN)}now()) ON CONFLICT (event_id, provider, account) DO NOTHING RETURNING received_at"
)


def event_of(
    *, provider: str, notification: Notification, reading: routing.Reading, source: EventSource, proof: Proof
) -> Event:
    """Make the row of a notification, not applied yet."""
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
        problem=notification.problem[:500],
        captured_amount=amount,
        captured_currency=currency,
        occurred_at=notification.created_at,
        status=EventStatus.FAILED,
        error="not applied yet",
    )


def as_text(event: Event, error: Exception) -> Event:
    """Make a row of an event that the database cannot hold.

    Its content is a text, and nothing is read of it.
    """
    content = json_text.storable(repr(event.payload))[:_LONGEST_TEXT]
    digest = hashlib.sha256(f"{event.event_id!r} {content}".encode()).hexdigest()
    return Event(
        id=event.id,
        provider=event.provider,
        account=event.account,
        event_id=f"unreadable_{digest}",
        source=event.source,
        endpoint=event.endpoint,
        proven_account=event.proven_account,
        secret_name=event.secret_name,
        payload={"raw": content},
        problem=f"the database cannot hold what is in it ({type(error).__name__})",
        attested_by=event.attested_by,
        attested_because=event.attested_because,
        status=EventStatus.FAILED,
        error="not applied yet",
    )


def notification_of(event: Event) -> Notification:
    """Make the notification again that a row was made of."""
    return Notification(
        event_id=event.event_id,
        type=event.type,
        account=event.account,
        live=event.live,
        created_at=event.occurred_at,
        api_version=event.api_version,
        payload=event.payload,
        object_ref=event.object_ref,
        problem=event.problem,
    )


def insert(event: Event) -> bool:
    """Insert an event unless it exists.

    A copy that is being applied elsewhere at this moment is waited for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, database.prepared(_GIVEN, event, add=True))
        inserted = cursor.fetchone()
    if inserted is None:
        return False
    (event.received_at,) = inserted
    event._state.adding = False
    return True
