"""Sends the mails of the outbox, one by one.

:mod:`common.outbox` says how each is claimed and recorded.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException, SMTPServerDisconnected
from uuid import UUID

from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from common import database, errors, loops, secrets
from common.errors import BusyError
from common.outbox import Outbox
from notifications import rendering
from notifications.models import Mail, MailStatus

logger = logging.getLogger("holdfast.mails")

_GIVEN_UP_AFTER = timedelta(days=3)
_REFUSED = (SMTPRecipientsRefused, SMTPDataError, AnymailRecipientsRefused)
"""Answers to one mail, which say nothing of the next."""
_NOT_TAKEN = (SMTPException, AnymailError, OSError)

OUTBOX = Outbox(
    model=Mail,
    open=frozenset((MailStatus.WAITING,)),
    lease=lambda: timedelta(minutes=5),
    most_attempts=lambda: 200,  # three days are over before, but for a mail that ends its sender each time
    first_delay=timedelta(minutes=1),
    longest_delay=timedelta(hours=1),
)


def send_due() -> int:
    """Send every due mail; returns how many were taken.

    Safe when two run: each mail is claimed.

    While the mail server is down nothing else waits for it: the first that it does not take ends the run. After a
    death between handing a mail over and noting it, it is sent again when the lease is over, with the same Message-ID.
    """
    given = {argument: secrets.current(name) for argument, name in settings.EMAIL_SECRETS.items()}
    server = get_connection(fail_silently=False, **given)

    def send(mail_id: UUID) -> bool:
        mail = OUTBOX.claim(mail_id)
        if mail is None:
            return False
        error = _hand_over(mail, server)
        _record(mail, error)
        if error is not None and not isinstance(error, _REFUSED):
            raise error
        return error is None

    try:
        due = OUTBOX.due().values_list("pk", flat=True)
        taken = loops.each(due, send, name="send_mails", ends=_NOT_TAKEN).done
    finally:
        server.close()
    loops.each(OUTBOX.exhausted(), _give_up, name="give_up_mails")
    return taken


def send_again(*, mail_id: UUID) -> None:
    """Send a mail once more. Must be called outside a transaction.

    Raises:
        BusyError: It is being sent at this moment.
    """
    with database.use_case():
        if not OUTBOX.start_round(mail_id):
            raise BusyError
        mail = Mail.objects.get(pk=mail_id)  # which that has locked
        mail.send_again()
        mail.save(update_fields=["status", "sent_at", "round"])


def _hand_over(mail: Mail, server: BaseEmailBackend) -> Exception | None:
    try:
        message = rendering.message(mail)
        database.leave_database()
        server.open()  # once: it stays open for those that follow
        server.send_messages([message])
    except Exception as error:  # noqa: BLE001  # a failure is recorded on its mail, and stops no other
        # Never the addresses: they are a person's.
        logger.warning("A mail was not taken.", extra={"mail": str(mail.pk), "error": type(error).__name__})
        return error
    return None


def _record(mail: Mail, error: Exception | None) -> None:
    """Record the result of a mail, unless another sender has claimed it since.

    That it was taken is true even if another sender has claimed it since,
    but says nothing of a sending that a person asked for since.
    """
    with database.use_case():
        at = database.now()
        if error is None:
            mail.note_sent(at=at)
        else:
            mail.note_failure(error=_told(error), again_at=_again_at(mail, error, at))
        fence = ("round",) if error is None else ("round", "attempts")
        database.update_together(fenced=OUTBOX.fenced(mail, Mail.RESULT_FIELDS, fence=fence))


def _again_at(mail: Mail, error: Exception, at: datetime) -> datetime | None:
    is_of_address = isinstance(error, SMTPRecipientsRefused | AnymailRecipientsRefused)
    if is_of_address or at - mail.created_at > _GIVEN_UP_AFTER:
        return None
    return OUTBOX.retry_at(mail, at=at)


def _give_up(mail: Mail) -> None:
    """Leave a mail to a person: nobody who tried it came to its end."""
    with database.use_case():
        mail.note_failure(error=mail.last_error or "its sender died each time", again_at=None)
        database.update_together(fenced=OUTBOX.fenced(mail, Mail.RESULT_FIELDS, fence=("round", "attempts")))


def _told(error: Exception) -> str:
    """Say what went wrong without the words of a mail server, which carry addresses."""
    if isinstance(error, SMTPRecipientsRefused):
        return "the server refuses the address"
    if isinstance(error, SMTPServerDisconnected):
        return "the server hung up"
    if isinstance(error, SMTPResponseException):
        return f"{type(error).__name__}: the server answered {error.smtp_code}"
    is_of_the_network = isinstance(error, OSError) and not isinstance(error, SMTPException)
    return f"{type(error).__name__}: {error}" if is_of_the_network else errors.describe(error)
