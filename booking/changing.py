"""Change a reservation: another departure, more people.

Two transactions, so that no slot is taken while another is locked: the first holds the new places beside the old ones,
the second does the change (``completing.py``). It runs at once where nothing has to be paid before, else when the money
is held or has come (``outcomes.py``). A process that dies between them leaves an open change: the same request goes on
with it, or it lapses.
"""

from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q

from booking import allowances, attempts, balance, change_quotes, completing, holds, lapsing, locks, seats
from booking.allowances import Allowance
from booking.change_quotes import Wanted
from booking.errors import DifferenceChangedError
from booking.models import CHANGED_FIELDS, Change, Reservation
from booking.states import ChangeStatus, OnDecline
from catalogue import inventory
from catalogue.errors import SlotSoldOutError
from catalogue.models import Slot
from common import database
from common.errors import NotFoundError
from common.locking import AsOf
from common.states import InvalidStateError
from payments.models import Command
from tenants.models import ApiClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to change, and how what is due for it is paid."""

    wanted: Wanted
    provider: str = ""
    """Empty: by another request, or nothing is due."""
    payment_method_id: str = ""
    expected_difference: int | None = None
    """What the guest was told, in minor units; None: nobody was told."""
    on_decline: OnDecline = OnDecline.RELEASE
    reason: str = ""
    allowance: Allowance = field(default_factory=allowances.of_program)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A reservation with its change done, or open.

    ``known``: the provider has answered.
    """

    reservation: AsOf[Reservation]
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A change as it was found or stored under the lock."""

    reservation: AsOf[Reservation]
    change: Change
    command: Command | None = None


def change(*, client: ApiClient, reservation_id: UUID, operation_id: UUID, actor: str, request: Request) -> Changed:
    """Hold other places, and do the change if nothing is due first.

    ``operation_id`` becomes the change's: a second run with it goes on from where the first one stopped. Must be called
    outside a transaction.

    Raises:
        NotFoundError, SlotClosedError, SlotSoldOutError: The places cannot be had; nothing has changed.
        InvalidStateError, ChangeInProgressError, BeingRefundedError: It cannot be changed now.
        DifferenceChangedError: It comes to another difference than was expected.
        TooManyHoldsError, TooManyPlacesError: The client holds as much as it may.
        CardError, PaymentRefusedError: The provider refused what is due; the places are as before.
    """
    lapsing.lapse_due(among=Q(reservation_id=reservation_id))
    try:
        asked = _ask(client, reservation_id, operation_id, actor, request)
    except SlotSoldOutError:
        if _make_way(request, reservation_id) == 0:
            raise
        asked = _ask(client, reservation_id, operation_id, actor, request)
    begun = attempts.find_of_change(asked.reservation.row, asked.change)
    if begun is not None:
        paid = attempts.send(begun, asked.reservation, asked.command, prefix="payment.")
        return Changed(reservation=paid.reservation, known=paid.known)
    is_paid_later = asked.change.amount_due > 0
    found = asked.reservation if is_paid_later else _finish(asked, because=request.reason)
    return Changed(reservation=found, known=True)


def give_up(*, operator_id: UUID, reservation_id: UUID, change_id: UUID, actor: str, reason: str) -> AsOf[Reservation]:
    """Give the places of an open change back.

    What is held for it is released. Run again it changes nothing. Must be called outside a transaction.

    Raises:
        NotFoundError: The reservation has no such change.
        InvalidStateError: It is done, or over.
    """
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator_id)
        reservation, at = locked.row, locked.at
        found = reservation.changes.filter(pk=change_id).first()
        if found is None:
            raise NotFoundError(kind="change")
        if found.status == ChangeStatus.CANCELLED:
            return locked
        if found.status != ChangeStatus.OPEN:
            raise InvalidStateError(kind="change", status=found.status, wanted=ChangeStatus.CANCELLED)
        ended = seats.end_change(reservation, ChangeStatus.CANCELLED, at=at, by=actor, because=reason)
        balance.settle(reservation, at=at, by=actor, because=reason, leaves=ended)
    return locked


def _ask(client: ApiClient, reservation_id: UUID, operation_id: UUID, actor: str, request: Request) -> _Asked:
    """Store the change, with the attempt to pay what is due for it, and take its places last."""
    with seats.taking_another_slot(), database.use_case():
        request.allowance.lock(client=client)
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=client.operator_id)
        reservation, at = locked.row, locked.at
        earlier = reservation.changes.filter(pk=operation_id).first()
        if earlier is not None:
            return _Asked(reservation=locked, change=earlier)
        quote = change_quotes.quoted(reservation, request.wanted, at=at)
        if request.expected_difference not in (None, quote.difference):
            raise DifferenceChangedError(difference=quote.difference, currency=reservation.currency)
        request.allowance.check_one_more(client=client, places=quote.places)
        made = Change(
            id=operation_id, reservation=reservation, api_client=client, status=ChangeStatus.OPEN,
            slot=quote.slot, places=quote.places, sold=list(quote.sold), prices=dict(quote.prices),
            amount=quote.difference, amount_due=quote.due, on_decline=request.on_decline,
            expires_at=holds.first_end(operator=client.operator, now=at), created_at=at, changed_at=at,
            changed_by=actor, changed_because=request.reason,
        )  # fmt: skip
        database.insert_together(made)
        reservation.change = made
        database.update_together((reservation, ("change",)))
        command = _begin(reservation, made, actor, request, locked)
        inventory.take(slot_id=made.slot_id, places=made.places, now=at)
    return _Asked(reservation=locked, change=made, command=command)


def _begin(
    reservation: Reservation, made: Change, actor: str, request: Request, locked: AsOf[Reservation]
) -> Command | None:
    """Begin to pay what is due, if the request says how."""
    if not made.amount_due or not request.provider:
        return None
    asked = attempts.Request(provider=request.provider, payment_method_id=request.payment_method_id, change_id=made.pk)
    _, command = attempts.begin(reservation, asked, amount=made.amount_due, actor=actor, at=locked.at)
    database.update_together((reservation, CHANGED_FIELDS))
    return command


def _finish(asked: _Asked, *, because: str) -> AsOf[Reservation]:
    """Do a change for which nothing has to be paid before, by a transaction of its own.

    Raises:
        InvalidStateError: It has lapsed, or was given up.
    """
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=asked.reservation.row.pk)
        row, at = locked.row, locked.at
        change = row.changes.get(pk=asked.change.pk)
        if change.status == ChangeStatus.DONE:
            return locked
        change.check_open(at)
        by = change.changed_by
        left = completing.complete(row, change, at=at, by=by, because=because)
        why = "the price has changed"
        balance.settle(row, at=at, by=by, because=why, leaves=left, also=completing.FIELDS)
    return locked


def _make_way(request: Request, reservation_id: UUID) -> int:
    """End what has run out on the departure that is wanted."""
    where = {"pk": request.wanted.slot_id} if request.wanted.slot_id else {"reservations": reservation_id}
    slot = Slot.objects.select_related("activity").get(**where)
    return lapsing.make_way_on(slot)
