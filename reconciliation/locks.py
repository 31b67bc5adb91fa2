"""Every lock that is taken on a discrepancy or a settlement run. Nothing else is locked with them."""

from uuid import UUID

from django.db.models.functions import Now

from reconciliation.models import Discrepancy


def get_discrepancy_for_update(*, discrepancy_id: UUID) -> Discrepancy:
    """Lock a discrepancy; ``db_now`` on it is the database's clock."""
    return Discrepancy.objects.select_for_update(no_key=True).annotate(db_now=Now()).get(pk=discrepancy_id)
