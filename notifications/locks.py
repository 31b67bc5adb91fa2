"""Every lock that is taken on a discrepancy to tell staff of. Nothing else is locked with it."""

from django.db.models import Q

from reconciliation.models import Discrepancy


def list_untold_for_update(*, where: Q) -> list[Discrepancy]:
    """Lock discrepancies that nobody was told of, leaving out what somebody else has locked."""
    untold = Discrepancy.objects.filter(where, told_at=None).order_by("id")
    return list(untold.select_for_update(no_key=True, skip_locked=True))
