"""Locks on events, the first in the lock order.

The order is event → reservation → payment → slots.
"""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from common.locking import Locked, clocked
from webhooks.models import OPEN, Event, EventStatus


def due() -> QuerySet[Event]:
    """Select events that are due, or no longer wait. Takes no lock."""
    has_come = Q(status=EventStatus.ORPHANED, next_attempt_at=None, payment__amount_captured__gt=0)
    due = Event.objects.filter(Q(next_attempt_at__lte=Now()) | has_come, status__in=sorted(OPEN))
    return due.order_by("next_attempt_at")


def find_open_for_update(*, event_id: UUID) -> Locked[Event] | None:
    """Lock an unapplied event, unless another process has it."""
    still_open = Event.objects.filter(pk=event_id, status__in=sorted(OPEN))
    found = clocked(still_open.select_for_update(no_key=True, skip_locked=True)).first()
    return Locked.of(found) if found is not None else None
