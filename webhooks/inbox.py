"""The one way in for events.

Store, apply and mark in one transaction; ``deliveries`` has verified what was sent.

One event, one effect (P4): the unique constraint lets one copy in, and its mark commits with all that it changes. What
cannot be applied now is kept with its error and tried again: an event may overtake our own commit. What cannot be read
is kept too, for a person: once it is authentic, nothing that is in it keeps an event out.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import IntegrityError, transaction

from common import database, errors, logs, loops
from payments import credentials
from payments.errors import EarlyOutcomeError, UnknownPaymentError
from payments.providers.errors import InvalidSignatureError, UnreadableError
from payments.providers.notifications import Notification
from webhooks import locks, proofs, routing, storing
from webhooks.models import RESULT_FIELDS, Event, EventSource, EventStatus
from webhooks.proofs import Proof

logger = logging.getLogger("holdfast.webhooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """Who vouches for an event that cannot be had, and why."""

    by: str
    because: str


class Receipt(StrEnum):
    """What became of a delivery; all of these are answered 200."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    KEPT = "kept"


def ingest(
    notification: Notification, source: EventSource, *, provider: str, proof: Proof, attested: Attestation | None = None
) -> Receipt:
    """Store an authentic notification and apply it.

    A copy of one that we have changes nothing.

    ``proof`` says how it was verified, and is kept with it. ``attested``: who vouches for an event that was never sent.
    Must be called outside a transaction.

    Raises:
        InvalidSignatureError: Its secret is not one of its account any more. Nothing is stored.
    """
    reading, failure = _read(provider, notification)
    event = storing.event_of(provider=provider, notification=notification, reading=reading, source=source, proof=proof)
    if attested is not None:
        event.attested_by, event.attested_because = attested.by, attested.because
    try:
        return _store(event, reading, failure)
    except IntegrityError as error:
        if not proofs.is_refusal(error):
            raise
        credentials.forget()
        raise InvalidSignatureError("Its secret is not one of the account that it speaks of.") from error
    except storing.NOT_STORABLE as error:
        logger.exception("An event could not be stored as it is; it is kept as a text.")
        return _store(storing.as_text(event, error), (), UnreadableError("the database cannot hold what is in it"))


def _read(provider: str, notification: Notification) -> tuple[routing.Reading, Exception | None]:
    """Return what a notification tells, and why it cannot be read, if so: that is kept like any other failure."""
    try:
        return routing.read(provider=provider, notification=notification), None
    except Exception as error:  # noqa: BLE001  # whatever is in it, it is authentic and must not be lost
        return (), error


def _store(event: Event, reading: routing.Reading, failure: Exception | None) -> Receipt:
    with database.use_case():
        if not storing.insert(event):
            return Receipt.DUPLICATE
        _apply(event, reading, failure, event.received_at)
    if event.status in (EventStatus.APPLIED, EventStatus.IGNORED):
        return Receipt.APPLIED if event.status == EventStatus.APPLIED else Receipt.IGNORED
    return Receipt.KEPT


def retry_due(*, limit: int = 500) -> int:
    """Apply the events that are due; returns how many were.

    Each in a transaction of its own.

    Safe when two run: an event that somebody else has locked is left to them. Read is page by page (``limit`` rows) to
    the end of what is due: events that fail every time, even at being noted, keep no other waiting.
    """
    due = loops.flat(loops.pages(locks.due().only("pk"), size=limit))
    return loops.each(due, lambda event: retry(event_id=event.pk), name="retry_events").done


def retry(*, event_id: UUID) -> bool:
    """Try one stored event again; returns whether it is handled now.

    Must be called outside a transaction.
    """
    with database.use_case():
        locked = locks.find_open_for_update(event_id=event_id)
        if locked is None:
            return False
        event = locked.row
        reading, failure = _read(event.provider, storing.notification_of(event))
        _apply(event, reading, failure, locked.at)
    return event.next_attempt_at is None and event.status in (EventStatus.APPLIED, EventStatus.IGNORED)


def _apply(event: Event, reading: routing.Reading, failure: Exception | None, now: datetime) -> None:
    """Apply and mark under a savepoint, so that what fails leaves the event itself to be kept.

    What the database would say only at COMMIT is asked before the savepoint is left: it looks for the event's mark.
    """
    event.attempts += 1
    was = event.payment_id
    try:
        if failure is not None:
            raise failure
        with transaction.atomic():
            effect = routing.apply(event, reading)
            event.settle(effect=effect, at=now)
            database.update_together((event, RESULT_FIELDS))
            if effect is not None:
                database.check_constraints()
    except Exception as error:
        if database.is_away(error):
            raise
        event.payment_id = was
        _keep(event, reading, error, now)
        database.update_together((event, RESULT_FIELDS))


def _keep(event: Event, reading: routing.Reading, error: Exception, now: datetime) -> None:
    """Note why an event is not applied: whatever it is, the event must not be lost."""
    if isinstance(error, EarlyOutcomeError):
        event.payment_id = error.payment_id
        event.wait(error=str(error), at=now, again=error.again)
        return
    if isinstance(error, UnknownPaymentError):
        is_lost = event.has_no_tries_left and routing.bears_our_mark(reading)  # ours, and nobody knows it
        status = EventStatus.FAILED if is_lost else EventStatus.ORPHANED
        event.keep(status=status, error=f"no such payment: {error}", at=now)
        return
    logs.failure(logger, "An event could not be applied; it is kept.", error, event=event.event_id)
    if isinstance(error, UnreadableError):
        event.give_up(error=errors.describe(error))
    else:
        event.keep(status=EventStatus.FAILED, error=errors.describe(error), at=now)
