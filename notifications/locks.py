"""Every lock that is taken on a mail, or on a discrepancy to tell staff of. Nothing else is locked with it."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from common.locking import Locked, clocked
from notifications.models import Mail, MailStatus
from reconciliation.models import Discrepancy


def due() -> QuerySet[Mail]:
    """Select mails that are to be sent now, the longest waiting first. Takes no lock."""
    return Mail.objects.filter(status=MailStatus.WAITING, next_attempt_at__lte=Now()).order_by("next_attempt_at")


def find_due_for_update(*, mail_id: UUID) -> Locked[Mail] | None:
    """Lock a mail if it is still due, unless somebody else has locked it."""
    mine = due().filter(pk=mail_id)
    found = clocked(mine.select_for_update(no_key=True, skip_locked=True)).first()
    return Locked.of(found) if found is not None else None


def list_untold_for_update(*, where: Q) -> list[Discrepancy]:
    """Lock discrepancies that nobody was told of, leaving out what somebody else has locked."""
    untold = Discrepancy.objects.filter(where, told_at=None).order_by("id")
    return list(untold.select_for_update(no_key=True, skip_locked=True))


def get_mail_for_update(*, mail_id: UUID) -> Locked[Mail]:
    """Lock a mail."""
    return Locked.of(clocked(Mail.objects.select_for_update(no_key=True)).get(pk=mail_id))
