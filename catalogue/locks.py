"""Locks on what is on sale; ``booking/locks.py`` has the order of all."""

from collections.abc import Collection
from uuid import UUID

from catalogue.models import Activity, Slot
from common.errors import NotFoundError


def get_activity_for_update(*, activity_id: UUID) -> Activity:
    """Lock an activity, while departures are made for it. Sales go on."""
    return Activity.objects.select_for_update(no_key=True).get(pk=activity_id)


def lock_offered(*, activity_id: UUID) -> None:
    """Lock an activity to change what is sold of it.

    Sales of it wait, and it waits for those of this moment.
    """
    list(Activity.objects.select_for_update().filter(pk=activity_id).values_list("pk"))


def get_slot_for_update(*, slot_id: UUID) -> Slot:
    """Lock a slot: the last lock before COMMIT.

    Raises:
        NotFoundError: It is gone.
    """
    slot = Slot.objects.select_for_update(no_key=True).filter(pk=slot_id).first()
    if slot is None:
        raise NotFoundError(kind="slot")
    return slot


def lock_slots(*, slot_ids: Collection[UUID]) -> None:
    """Lock slots in the order of their ids."""
    list(Slot.objects.select_for_update(no_key=True).filter(pk__in=slot_ids).order_by("pk").values_list("pk"))
