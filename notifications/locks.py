"""Every lock that is taken on a mail, or on a discrepancy to tell staff of. Nothing else is locked with it."""

from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from notifications.models import Mail, MailStatus
from reconciliation.models import Discrepancy


def find_due_for_update() -> Mail | None:
    """Lock the mail that has waited longest, leaving out what somebody else has locked."""
    due = Mail.objects.filter(status=MailStatus.WAITING, next_attempt_at__lte=Now()).order_by("next_attempt_at")
    return due.select_for_update(no_key=True, skip_locked=True).annotate(db_now=Now()).first()


def list_untold_for_update(*, where: Q) -> list[Discrepancy]:
    """Lock discrepancies that nobody was told of, leaving out what somebody else has locked."""
    untold = Discrepancy.objects.filter(where, told_at=None).order_by("id")
    return list(untold.select_for_update(no_key=True, skip_locked=True))


def get_mail_for_update(*, mail_id: UUID) -> Mail:
    """Lock a mail; ``db_now`` on it is the database's clock."""
    return Mail.objects.select_for_update(no_key=True).annotate(db_now=Now()).get(pk=mail_id)
