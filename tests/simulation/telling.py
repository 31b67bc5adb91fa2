"""The story of a world: what everybody did, what went wrong, and each change of a state, in the order of time."""

import heapq
from collections.abc import Iterable
from datetime import datetime

from booking.models import History, Reservation
from payments.models import PaymentHistory
from tests.simulation.clock import BEGINNING
from tests.simulation.world import World

Line = tuple[datetime, str]


def story(world: World) -> list[str]:
    """Tell it line by line. A change stands before the line of who brought it about: that is told when it is done."""
    lines = heapq.merge(_changes(), world.story, key=lambda line: line[0])
    return [f"{str(at - BEGINNING).partition('.')[0]} {text}" for at, text in lines]


def _changes() -> Iterable[Line]:
    reservations = History.objects.select_related("reservation")
    payments = PaymentHistory.objects.select_related("payment")
    found = [(row.at, _told(f"reservation {row.reservation.reference}", row)) for row in reservations.order_by("id")]
    found += [(row.at, _told(_of(row), row)) for row in payments.order_by("id")]
    return sorted(found, key=lambda line: line[0])


def _of(row: PaymentHistory) -> str:
    reservation = Reservation.objects.filter(pk=row.payment.managed_id).first() if row.payment.managed_id else None
    return f"payment of {reservation.reference}" if reservation else f"payment {row.payment.provider_ref}"


def _told(what: str, row: History | PaymentHistory) -> str:
    change = f"{row.from_status} → {row.to_status}" if row.from_status not in ("", row.to_status) else row.to_status
    return f"    {what}: {change} ({row.actor}: {row.reason})"
