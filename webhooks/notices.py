"""The outbox of look-ups: notices are stored first.

The notice proves nothing. What is looked up with the account's own key becomes an event, and goes through the inbox as
every event does; :mod:`common.outbox` says how a look is claimed and recorded.
"""

import hashlib
import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django_q.tasks import async_task

from common import database, json_text, loops, tasks
from common.errors import BusyError
from common.outbox import Outbox
from payments import throttle
from payments.providers import registry
from payments.providers.base import LooksUp
from payments.providers.errors import InvalidSignatureError, NotSentError, ProviderError, UnsupportedError
from payments.providers.notifications import DeliveredRequest, Notification
from webhooks import inbox, proofs
from webhooks.models import Event, EventSource, Notice, NoticeStatus
from webhooks.proofs import Proof

logger = logging.getLogger("holdfast.webhooks")

LOOK_UP = f"{__name__}.look_up_queued"
"""What the queue calls."""

OUTBOX = Outbox(
    model=Notice,
    open=frozenset((NoticeStatus.WAITING,)),
    lease=lambda: timedelta(seconds=settings.COMMAND_LEASE_SECONDS),
    most_attempts=lambda: settings.EVENT_MAX_ATTEMPTS,
    first_delay=timedelta(seconds=5),
    longest_delay=timedelta(hours=1),
)

_GIVEN = [field for field in Notice._meta.local_concrete_fields if field.name not in ("received_at", "next_attempt_at")]
# A copy of one that we have makes us look once more: what it names may have changed since.
_INSERT = (
    f'INSERT INTO "{Notice._meta.db_table}" AS known '  # noqa: S608  # names of our own
    f"({', '.join(str(field.column) for field in _GIVEN)}, received_at, next_attempt_at) "
    f"VALUES ({'%s, ' * len(_GIVEN)}now(), now()) ON CONFLICT (provider, account, delivery_id, digest) DO UPDATE "
    "SET deliveries = known.deliveries + 1, status = 'waiting', next_attempt_at = now(), "
    "extra_attempts = known.attempts RETURNING id, deliveries"
)


def store(notification: Notification, *, provider: str, request: DeliveredRequest, proof: Proof) -> inbox.Receipt:
    """Store a notice, and have a worker look it up.

    Must be called outside a transaction.
    """
    notice = Notice(
        provider=provider,
        account=proof.account,
        secret_name=proof.secret_name,
        delivery_id=notification.event_id[:255],
        digest=hashlib.sha256(request.body).hexdigest(),
        type=notification.type[:100],
        lookup_ref=notification.lookup_ref,
        payload=json_text.storable(dict(notification.payload)),
    )
    with database.use_case(), connection.cursor() as cursor:
        cursor.execute(_INSERT, database.prepared(_GIVEN, notice, add=True))
        notice_id, deliveries = cursor.fetchone()
        transaction.on_commit(lambda: _queue(notice_id), robust=True)
    return inbox.Receipt.KEPT if deliveries == 1 else inbox.Receipt.DUPLICATE


def look_up_due() -> int:
    """Look up what every due notice names; returns how many were.

    Safe when two run: each notice is claimed. An account that may not be called now is left for the next run.
    """
    paused = set[tuple[str, str]]()

    def look(notice: Notice) -> bool:
        account = (notice.provider, notice.account)
        if account in paused:
            return False
        if throttle.acquire(provider=notice.provider, account=notice.account):
            paused.add(account)
            return False
        return look_up(notice_id=notice.pk)

    due = OUTBOX.due().only("provider", "account")
    done = loops.each(due, look, name="look_up_notices").done
    loops.each(OUTBOX.exhausted(), _give_up, name="give_up_notices")
    return done


@tasks.queued
def look_up_queued(*, notice_id: UUID) -> bool:
    """Look up a notice that has just come.

    Django-q2 calls this by name (``LOOK_UP``).
    """
    found = Notice.objects.filter(pk=notice_id).only("provider", "account").first()
    if found is None or throttle.acquire(provider=found.provider, account=found.account):
        return False
    return look_up(notice_id=notice_id)


def look_up(*, notice_id: UUID) -> bool:
    """Look up a notice; returns whether its event is stored.

    Outside a transaction. A process that dies in between leaves the notice to the next look; the inbox takes the same
    state once. Who was slow notes nothing of a notice that came once more, or that another has claimed since.
    """
    notice = OUTBOX.claim(notice_id)
    if notice is None:
        return False
    try:
        event = observe(provider=notice.provider, ref=notice.lookup_ref, account=notice.account)
    except (ProviderError, InvalidSignatureError) as error:
        logger.warning("A notice could not be looked up.", extra={"notice": str(notice.pk), "error": str(error)})
        _record_failure(notice, error)
        return False
    with database.use_case():
        notice.note_looked_up(event, at=database.now())
        _write(notice)
    return True


def observe(*, provider: str, ref: str, account: str) -> Event:
    """Read an object and put what it shows through the inbox.

    With the account's own key. Must be called outside a transaction.

    Raises:
        ProviderError: It cannot be read.
        InvalidSignatureError: It is of another account.
    """
    looking = registry.get(provider)
    if not isinstance(looking, LooksUp):
        raise UnsupportedError(provider=provider, what="look up an object")
    database.leave_database()
    found = looking.look_up(ref=ref, account=account)
    throttle.answered(provider=provider, account=account)
    proof = proofs.of_reading(provider=provider, notification=found, account=account)
    inbox.ingest(found, EventSource.LOOKED_UP, provider=provider, proof=proof)
    return Event.objects.get(provider=provider, account=account, event_id=found.event_id)


def look_again(*, notice_id: UUID) -> None:
    """Have a notice looked up once more.

    Must be called outside a transaction.

    Raises:
        BusyError: It is being looked up at this moment.
    """
    with database.use_case():
        if not OUTBOX.start_round(notice_id):
            raise BusyError
        notice = Notice.objects.get(pk=notice_id)  # which that has locked
        notice.look_again()
        notice.save(update_fields=["status"])
        transaction.on_commit(lambda: _queue(notice_id), robust=True)


def _record_failure(notice: Notice, error: ProviderError | InvalidSignatureError) -> None:
    """Note why a look failed, and when the next is; a provider that holds us off costs no attempt."""
    if isinstance(error, ProviderError):
        throttle.note(error, provider=notice.provider, account=notice.account)
    asked = error.retry_after if isinstance(error, NotSentError) else None
    with database.use_case():
        if asked is not None:
            notice.extra_attempts += 1
        is_over = notice.attempts_of_round >= settings.EVENT_MAX_ATTEMPTS
        again_at = None if is_over else OUTBOX.retry_at(notice, at=database.now(), asked=asked)
        notice.note_failure(error=str(error), again_at=again_at)
        _write(notice)


def _give_up(notice: Notice) -> None:
    """Leave a notice to a person: nobody who looked it up came to an end."""
    with database.use_case():
        notice.note_failure(error=notice.last_error or "who looked it up died each time", again_at=None)
        _write(notice)


def _write(notice: Notice) -> None:
    database.update_together(fenced=OUTBOX.fenced(notice, Notice.RESULT_FIELDS, fence=("attempts", "deliveries")))


def _queue(notice_id: UUID) -> None:
    async_task(LOOK_UP, notice_id=notice_id, group="notice", save=False)
