"""Take and release places of a slot: the only writer of ``slot.reserved``."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db import connection

from catalogue import locks
from catalogue.errors import SlotClosedError, SlotSoldOutError
from catalogue.models import Slot
from common import database


class Party(Protocol):
    """A holder of places on a slot, such as a reservation.

    Without a slot if it has a whole day.
    """

    @property
    def slot_id(self) -> UUID | None:
        """The slot on which it holds places."""

    @property
    def places(self) -> int:
        """How many it holds."""


_TAKE = """
    UPDATE catalogue_slot SET reserved = reserved + %(places)s, sold_at = coalesce(sold_at, %(now)s)
    WHERE id = %(slot)s AND NOT is_closed AND starts_at > %(now)s AND capacity - reserved >= %(places)s
"""
_ADD = """
    UPDATE catalogue_slot SET reserved = reserved + added.places,
        sold_at = coalesce(sold_at, CASE WHEN added.places > 0 THEN now() END)
    FROM unnest(%s::uuid[], %s::int[]) AS added(id, places) WHERE catalogue_slot.id = added.id
"""


def take(*, slot_id: UUID, places: int, now: datetime) -> None:
    """Lock the slot and take places.

    Nothing else may be locked after it in this transaction.

    One statement where there is room: it locks, looks and takes, and the lock is held for no round trip more.

    Raises:
        SlotClosedError: It is closed, or has started at ``now``.
        SlotSoldOutError: It has not enough places left.
    """
    database.require_transaction()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"slot": slot_id, "places": places, "now": now})
        if cursor.rowcount == 1:
            return
    _refuse_unless_there_is_room(locks.get_slot_for_update(slot_id=slot_id), places, now)
    _add({slot_id: places})


def take_again(*, party: Party, freed: Iterable[Party], now: datetime) -> None:
    """Release the places of ended parties, and take one party's again.

    Locks the slots of all of them.

    Nothing else may be locked after them in this transaction.

    Raises:
        SlotClosedError: Its slot is closed, or has started at ``now``.
        SlotSoldOutError: It has not enough places left.
    """
    database.require_transaction()
    freed = list(freed)
    locks.lock_slots(slot_ids={row.slot_id for row in (*freed, party) if row.slot_id is not None})
    release(freed)
    if party.slot_id is not None:
        take(slot_id=party.slot_id, places=party.places, now=now)


def move(*, left: UUID, taken: UUID, places: int, now: datetime) -> None:
    """Lock two slots by id, and move places between them.

    Nothing else may be locked after them in this transaction.

    Raises:
        SlotClosedError: The slot to be taken is closed, or has started at ``now``.
        SlotSoldOutError: It has not enough places left.
    """
    database.require_transaction()
    locks.lock_slots(slot_ids=(left, taken))
    _refuse_unless_there_is_room(Slot.objects.get(pk=taken), places, now)
    _add({left: -places, taken: places})


def release(parties: Iterable[Party]) -> None:
    """Lock the slots of ended parties and release their places: two statements."""
    database.require_transaction()
    freed: Counter[UUID] = Counter()
    for party in parties:
        if party.slot_id is not None:
            freed[party.slot_id] -= party.places
    if not freed:
        return
    locks.lock_slots(slot_ids=freed.keys())
    _add(freed)


def _refuse_unless_there_is_room(slot: Slot, places: int, now: datetime) -> None:
    if not slot.is_open(now):
        raise SlotClosedError
    if slot.available < places:
        raise SlotSoldOutError(available=slot.available)


def _add(places: Mapping[UUID, int]) -> None:
    """Add places to what is reserved of locked slots; fewer than none are given back."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [list(places.keys()), list(places.values())])
