"""Locks on discrepancies to report. Nothing else is locked with them."""

from django.db.models import Q

from reconciliation.models import Discrepancy


def list_untold_for_update(*, where: Q) -> list[Discrepancy]:
    """Lock unreported discrepancies, skipping rows locked by others."""
    untold = Discrepancy.objects.filter(where, told_at=None).order_by("id")
    return list(untold.select_for_update(no_key=True, skip_locked=True))
