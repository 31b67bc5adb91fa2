"""Sends what is in the outbox, mail by mail: claimed in a transaction, handed over outside of any, noted in another."""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException, SMTPServerDisconnected
from uuid import UUID

from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from common import database, errors, loops, retries, secrets
from notifications import locks, rendering
from notifications.models import Mail

logger = logging.getLogger("holdfast.mails")

_LEASE = timedelta(minutes=5)
_FIRST_DELAY = timedelta(minutes=1)
_LONGEST_DELAY = timedelta(hours=1)
_GIVEN_UP_AFTER = timedelta(days=3)
_REFUSED = (SMTPRecipientsRefused, SMTPDataError, AnymailRecipientsRefused)
"""Answers to one mail, which say nothing of the next."""
_NOT_TAKEN = (SMTPException, AnymailError, OSError)


def send_due() -> int:
    """Send every mail that is due; returns how many were taken. Safe when two run: each mail is claimed.

    While the mail server is down nothing else waits for it: the first that it does not take ends the run. Whoever dies
    between handing a mail over and noting it sends it again when the lease is over, with the same Message-ID.
    """
    given = {argument: secrets.current(name) for argument, name in settings.EMAIL_SECRETS.items()}
    server = get_connection(fail_silently=False, **given)

    def send(mail_id: UUID) -> bool:
        mail = _claim(mail_id)
        if mail is None:
            return False
        error = _hand_over(mail, server)
        _note(mail, error)
        if error is not None and not isinstance(error, _REFUSED):
            raise error
        return error is None

    try:
        due = locks.due().values_list("pk", flat=True)
        return loops.each(due, send, name="send_mails", ends=_NOT_TAKEN).done
    finally:
        server.close()


def send_again(*, mail_id: UUID) -> None:
    """Have a mail sent once more, whatever became of it. Must be called outside a transaction."""
    with database.use_case():
        locked = locks.get_mail_for_update(mail_id=mail_id)
        locked.row.send_again(at=locked.at)
        locked.row.save()


def _claim(mail_id: UUID) -> Mail | None:
    with database.use_case():
        locked = locks.find_due_for_update(mail_id=mail_id)
        if locked is None:
            return None
        mail = locked.row
        mail.attempts += 1
        Mail.objects.filter(pk=mail.pk).update(attempts=mail.attempts, next_attempt_at=locked.at + _LEASE)
    return mail


def _hand_over(mail: Mail, server: BaseEmailBackend) -> Exception | None:
    try:
        message = rendering.message(mail)
        database.leave_database()
        server.open()  # once: it stays open for those that follow
        server.send_messages([message])
    except Exception as error:  # noqa: BLE001  # whatever is wrong with a mail, it is noted on it and stops no other
        # Never the addresses: they are a person's.
        logger.warning("A mail was not taken.", extra={"mail": str(mail.pk), "error": type(error).__name__})
        return error
    return None


def _note(claimed: Mail, error: Exception | None) -> None:
    """Write what came of a mail; a failure is no news of one that another sender has claimed since."""
    with database.use_case():
        locked = locks.get_mail_for_update(mail_id=claimed.pk)
        mail, at = locked.row, locked.at
        if error is not None and mail.attempts != claimed.attempts:
            return
        if error is None:
            mail.note_sent(at=at)
        else:
            mail.note_failure(error=_told(error), again_at=_again_at(mail, error, at))
        mail.save()


def _again_at(mail: Mail, error: Exception, at: datetime) -> datetime | None:
    is_of_address = isinstance(error, SMTPRecipientsRefused | AnymailRecipientsRefused)
    if is_of_address or at - mail.created_at > _GIVEN_UP_AFTER:
        return None
    return at + retries.delay(mail.attempts, first=_FIRST_DELAY, longest=_LONGEST_DELAY)


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
