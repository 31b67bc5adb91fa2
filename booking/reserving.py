"""Reserve: take places and store the payment, then hold the money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError

from booking import availability, execution, lapsing, sales
from booking.errors import ActivityUnavailableError
from booking.models import Adjustment, Reservation, Unit
from booking.sales import Order, Sale
from booking.states import ReservationStatus
from catalogue import inventory
from catalogue.errors import SlotClosedError, SlotSoldOutError
from catalogue.states import SlotStatus
from common import database
from common.errors import BusyError, NotFoundError
from common.locking import AsOf, clocked
from idempotency.keys import Operation
from payments import commands
from payments.errors import why_failed
from payments.states import PaymentStatus
from tenants import scoping
from tenants.models import ApiClient

_TRIES = 4
"""A reference of six characters may be taken; drawing again is cheaper than asking first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """A new reservation, with its units; ``known``: the provider has answered."""

    reservation: Reservation
    at: datetime
    """When it was read, by the database's clock."""
    units: Sequence[Unit]
    known: bool
    adjustments: Sequence[Adjustment] = ()


def reserve(*, client: ApiClient, actor: str, operation: Operation, request: sales.Request) -> Reserved:
    """Take places, store payment and command, then ask for the hold.

    The first two in one transaction; the provider is asked after it.

    The operation's id becomes the reservation's: a second run with it goes on from where the first one stopped.
    Must be called outside a transaction.

    Raises:
        NotFoundError, SlotClosedError, SlotSoldOutError, ActivityUnavailableError: Nothing is kept.
        TooManyHoldsError, TooManyPlacesError: The client holds as much as it may; nothing is kept.
        ValidationError: The units cannot be priced; nothing is kept.
        CardError, PaymentRefusedError: There is no hold; the reservation is ``failed`` and its places are free again.
    """
    if operation.resumed and _is_stored(operation.id):
        return _resume(client=client, operation_id=operation.id)
    order = Order(client=client, actor=actor, operation_id=operation.id, request=request)
    try:
        sale = _store(order)
    except _StoredBeforeError:
        return _resume(client=client, operation_id=operation.id)
    if sale.command is None:
        return Reserved(reservation=sale.reservation, at=sale.reservation.created_at, units=sale.units, known=True)
    done = execution.execute_claimed(sale.command)
    found = done.result.as_of if done else _get(client, operation.id)
    return _result(found, sale.units, known=done is not None and done.known)


class _StoredBeforeError(Exception):
    """An earlier run with this id has stored the reservation."""


class _ChangedMeanwhileError(Exception):
    """Another try may do: a new reference is drawn, and what is sold is read anew."""


def _store(order: Order) -> Sale:
    """Store what is offered now. Holds that ran out do not stand in the way: they are expired, and it is tried again.

    Raises:
        _StoredBeforeError: Nothing is stored by this run.
    """
    for _ in range(_TRIES):
        offer = _read_offer(order)
        try:
            return _insert(order, offer)
        except _ChangedMeanwhileError:
            continue
        except (SlotSoldOutError, ActivityUnavailableError) as refused:
            if _expire_in_the_way(offer) > 0:
                continue
            if _is_stored(order.operation_id):
                raise _StoredBeforeError from refused
            raise
    raise BusyError


def _read_offer(order: Order) -> availability.Offer:
    """Read what is offered and turn away what cannot be had, before anything is locked."""
    request, client = order.request, order.client
    if request.slot_id is not None:
        offer = availability.get_slot_offer(slot_id=request.slot_id, client=client, provider=request.provider)
    elif request.activity_id is not None:
        offer = availability.get_day_offer(
            activity_id=request.activity_id, day=request.day, client=client, provider=request.provider
        )
    else:
        raise NotFoundError(kind="slot")
    if offer.verdict in (SlotStatus.CLOSED, SlotStatus.DEPARTED):
        raise SlotClosedError
    return offer


def _insert(order: Order, offer: availability.Offer) -> Sale:
    """Insert everything in one statement, then lock the slot and take the places as the last step before COMMIT."""
    sale = sales.draw_up(order, offer)
    places = sale.reservation.places
    try:
        with database.use_case():
            order.request.allowance.check_exactly(client=order.client, places=places)
            database.insert_together(*sale.rows)
            if offer.slot is not None:
                inventory.take(slot_id=offer.slot.pk, places=places, now=offer.now)
    except IntegrityError as error:
        refusal = _refusal(database.violated(error), offer)
        if refusal is None:
            raise
        raise refusal from error
    return sale


def _refusal(constraint: str, offer: availability.Offer) -> Exception | None:
    """Say what a violated constraint means for the caller; None if it is a fault of ours."""
    match constraint:
        case "booking_reservation_pkey":
            return _StoredBeforeError()
        case "reservation_reference_once" | "reservation_as_offered":
            return _ChangedMeanwhileError()
        case "occupancy_one_party":
            return SlotSoldOutError(available=0) if offer.slot is not None else ActivityUnavailableError()
    return None


def _expire_in_the_way(offer: availability.Offer) -> int:
    """End the holds and changes past their time that stand in the way of what is offered; return how many."""
    return lapsing.make_way(
        activity_id=offer.activity.pk,
        slot_id=offer.slot.pk if offer.slot is not None else None,
        during=(offer.starts_at, offer.ends_at),
        exclusive=offer.activity.exclusive,
    )


def _is_stored(operation_id: UUID) -> bool:
    return Reservation.objects.filter(pk=operation_id).exists()


def _resume(*, client: ApiClient, operation_id: UUID) -> Reserved:
    """Finish what an earlier run with this id began, from wherever it stopped."""
    found = _get(client, operation_id)
    if not found.row.payments:
        return _result(found, list(found.row.units.all()), known=True)
    command = found.row.payments[0].commands.filter(kind__in=commands.STARTING).get()
    known = not command.is_open
    if command.is_open:
        done = execution.execute(command_id=command.pk)
        known = done is not None and done.known
        found = _get(client, operation_id)
    return _result(found, list(found.row.units.all()), known=known)


def _get(client: ApiClient, operation_id: UUID) -> AsOf[Reservation]:
    mine = scoping.of_operator(Reservation.objects.select_related("payment"), client.operator)
    return AsOf.of(clocked(mine).get(pk=operation_id))


def _result(found: AsOf[Reservation], units: Sequence[Unit], *, known: bool) -> Reserved:
    reservation, payment = found.row, found.row.payment
    is_declined = payment is not None and payment.status == PaymentStatus.FAILED
    if payment is not None and is_declined and reservation.status == ReservationStatus.FAILED:
        raise why_failed(code=payment.failure_code, message=payment.failure_message, prefix="payment.")
    return Reserved(reservation=reservation, at=found.at, units=units, known=known)
