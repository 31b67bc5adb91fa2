"""Close a departure to new reservations, and open it again.

Reservations that it has stay.
"""

from uuid import UUID

from catalogue import locks
from common import database


def close(*, slot_id: UUID, actor: str, reason: str) -> None:
    """Close a departure to new reservations. Outside a transaction.

    Waits for a reservation that is being made at this moment.
    """
    _set(slot_id, is_closed=True, actor=actor, reason=reason)


def reopen(*, slot_id: UUID, actor: str, reason: str) -> None:
    """Take reservations again. Outside a transaction."""
    _set(slot_id, is_closed=False, actor=actor, reason=reason)


def _set(slot_id: UUID, *, is_closed: bool, actor: str, reason: str) -> None:
    with database.use_case():
        database.name_actor(actor, reason)
        slot = locks.get_slot_for_update(slot_id=slot_id)
        slot.is_closed = is_closed
        slot.save(update_fields=["is_closed"])
