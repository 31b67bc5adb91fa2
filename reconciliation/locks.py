"""Locks on discrepancies and settlement runs; nothing else with them."""

from uuid import UUID

from common.locking import Locked, clocked
from reconciliation.models import Discrepancy


def get_discrepancy_for_update(*, discrepancy_id: UUID) -> Locked[Discrepancy]:
    """Lock a discrepancy."""
    return Locked.of(clocked(Discrepancy.objects.select_for_update(no_key=True)).get(pk=discrepancy_id))
