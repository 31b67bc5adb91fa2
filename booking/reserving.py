"""Reserve: places taken and a payment asked for in one transaction, the money held after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError

from booking import allowances, availability, execution, expiring, holds, inventory, pricing
from booking.allowances import Allowance
from booking.errors import ResourceUnavailableError, SlotClosedError, SlotSoldOutError
from booking.models import Reservation, Unit
from booking.states import ReservationStatus, SlotStatus
from common import database, ids
from common.errors import BusyError, ConflictError, NotFoundError, ValidationError
from common.locking import AsOf, clocked
from idempotency.keys import Operation
from payments import commands
from payments.errors import why_failed
from payments.models import Command, Payment
from payments.providers import registry
from payments.states import CaptureMethod, CommandKind, PaymentStatus
from tenants import scoping
from tenants.models import ApiClient

_TRIES = 4
"""A reference of six characters may be taken; drawing again is cheaper than asking first."""
_ONCE_MORE = ("reservation_reference_once", "reservation_as_offered")
"""Constraints that another try may satisfy: another reference is drawn, and what is sold is read anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who the places are for."""

    name: str
    email: str
    reference: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be reserved: a slot, or an exclusive resource as a whole."""

    slot_id: UUID | None
    resource_id: UUID | None
    units: Sequence[pricing.WantedUnit]
    customer: Customer
    provider: str
    capture_method: CaptureMethod
    payment_method_id: str
    metadata: Mapping[str, str]
    allowance: Allowance = field(default_factory=allowances.of_program)
    day: date | None = None
    """The local day of a whole resource; None: today there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """A reservation that was made, with what was sold; ``known`` is whether the provider's answer is."""

    reservation: Reservation
    at: datetime
    """When it was read, by the database's clock."""
    units: Sequence[Unit]
    known: bool


def reserve(*, client: ApiClient, actor: str, operation: Operation, request: Request) -> Reserved:
    """Take places, store the payment and its command in one transaction, then ask the provider for the hold.

    The operation's id becomes the reservation's: a second run with it goes on from where the first one stopped.
    Must be called outside a transaction.

    Raises:
        NotFoundError, SlotClosedError, SlotSoldOutError, ResourceUnavailableError: Nothing is kept.
        TooManyHoldsError, TooManyPlacesError: The client holds as much as it may; nothing is kept.
        ValidationError: The units cannot be priced; nothing is kept.
        CardError, PaymentRefusedError: There is no hold; the reservation is ``failed`` and its places are free again.
    """
    if operation.resumed and Reservation.objects.filter(pk=operation.id).exists():
        return _go_on(client=client, operation_id=operation.id)
    stored = _store(client=client, actor=actor, operation_id=operation.id, request=request)
    if stored is None:
        return _go_on(client=client, operation_id=operation.id)
    units, command = stored
    done = execution.execute_claimed(command)
    found = done.result.as_of if done else _get(client, operation.id)
    return _result(found, units, known=done is not None and done.known)


Stored = tuple[list[Unit], Command]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sale:
    """One operation of a client."""

    client: ApiClient
    actor: str
    operation_id: UUID
    request: Request


class _TakenError(Exception):
    """Somebody else has the places; ``shown`` says so to the caller, ``by`` matches who it may be."""

    def __init__(self, shown: ConflictError, offer: availability.Offer) -> None:
        super().__init__(shown.message)
        self.shown = shown
        self.by = expiring.in_the_way(
            resource_id=offer.resource.pk,
            slot_id=offer.slot.pk if offer.slot is not None else None,
            during=(offer.starts_at, offer.ends_at),
            exclusive=offer.resource.exclusive,
        )


def _store(*, client: ApiClient, actor: str, operation_id: UUID, request: Request) -> Stored | None:
    """Store the reservation; None if an earlier run with this id has.

    Holds that ran out do not stand in the way: they are expired there, and it is tried once more.
    """
    sale = _Sale(client=client, actor=actor, operation_id=operation_id, request=request)
    try:
        return _store_as_offered(sale)
    except _TakenError as taken:
        if expiring.expire_due(among=taken.by) == 0:
            if Reservation.objects.filter(pk=operation_id).exists():
                return None
            raise taken.shown from taken
    try:
        return _store_as_offered(sale)
    except _TakenError as taken:
        raise taken.shown from taken


def _store_as_offered(sale: _Sale) -> Stored | None:
    """Store what is offered now; offered anew if it changed meanwhile, or if its reference is taken."""
    for _ in range(_TRIES):
        offer = _offer(sale.client, sale.request)
        try:
            return _insert(sale, offer)
        except SlotSoldOutError as error:
            raise _TakenError(error, offer) from error
        except IntegrityError as error:
            constraint = database.violated(error)
            if constraint == "booking_reservation_pkey":
                return None
            if constraint == "occupancy_one_party":
                shown = SlotSoldOutError(available=0) if offer.slot is not None else ResourceUnavailableError()
                raise _TakenError(shown, offer) from error
            if constraint not in _ONCE_MORE:
                raise
    raise BusyError


def _offer(client: ApiClient, request: Request) -> availability.Offer:
    """Read what is offered and turn away what cannot be had, before anything is locked."""
    if request.slot_id is not None:
        offer = availability.get_slot_offer(slot_id=request.slot_id, client=client)
    elif request.resource_id is not None:
        offer = availability.get_day_offer(resource_id=request.resource_id, day=request.day, client=client)
    else:
        raise NotFoundError(kind="slot")
    if offer.verdict in (SlotStatus.CLOSED, SlotStatus.DEPARTED):
        raise SlotClosedError
    return offer


def _insert(sale: _Sale, offer: availability.Offer) -> Stored:
    """Insert everything in one statement, then lock the slot and take the places as the last step before COMMIT."""
    request, actor = sale.request, sale.actor
    quote = pricing.quote(rates=offer.rates, wanted=_wanted(request, offer), currency=offer.resource.currency)
    request.allowance.check(holds=offer.live_holds + 1, places=offer.live_places + quote.places)
    registry.get(request.provider).check_amount(amount=quote.amount, currency=offer.resource.currency, param="units")
    if offer.free is not None and offer.free < quote.places:
        raise SlotSoldOutError(available=offer.free)
    payment = _payment(sale.client, request, offer, quote, actor)
    reservation = _reservation(sale.client, request, offer, quote, payment, sale.operation_id)
    units = [Unit(reservation=reservation, **_sold(rate)) for rate in quote.sold]
    kind = CommandKind.AUTHORIZE if request.capture_method is CaptureMethod.MANUAL else CommandKind.CHARGE
    command = commands.claimed(
        commands.new(payment=payment, kind=kind, requested_by=actor, reason="reserve", now=offer.now), now=offer.now
    )
    with database.use_case():
        request.allowance.check_exactly(client=sale.client, places=quote.places)
        database.insert_together(payment, reservation, *units, command)
        if offer.slot is not None:
            inventory.take(slot_id=offer.slot.pk, places=quote.places, now=offer.now)
    return units, command


def _wanted(request: Request, offer: availability.Offer) -> Sequence[pricing.WantedUnit]:
    if request.units:
        return request.units
    if offer.slot is None and len(offer.rates) == 1:
        return [pricing.WantedUnit(unit=offer.rates[0]["unit"], quantity=1)]
    raise ValidationError(param="units", code="required", message="Name the units to reserve.")


def _payment(
    client: ApiClient, request: Request, offer: availability.Offer, quote: pricing.Quote, actor: str
) -> Payment:
    return Payment(
        operator=client.operator,
        provider=request.provider,
        provider_account=client.operator.stripe_account,
        amount=quote.amount,
        currency=offer.resource.currency,
        capture_method=request.capture_method,
        payment_method_id=request.payment_method_id,
        managed_by="reservation",
        status=PaymentStatus.PROCESSING if request.payment_method_id else PaymentStatus.REQUIRES_CONFIRMATION,
        created_at=offer.now,
        changed_at=offer.now,
        changed_by=actor,
        changed_because="reserve",
    )


def _reservation(
    client: ApiClient,
    request: Request,
    offer: availability.Offer,
    quote: pricing.Quote,
    payment: Payment,
    operation_id: UUID,
) -> Reservation:
    return Reservation(
        id=operation_id,
        operator=client.operator,
        api_client=client,
        resource=offer.resource,
        slot=offer.slot,
        day=offer.day,
        starts_at=offer.starts_at,
        ends_at=offer.ends_at,
        payment=payment,
        status=ReservationStatus.AWAITING_PAYMENT,
        exclusive=offer.resource.exclusive,
        places=quote.places,
        amount=quote.amount,
        currency=offer.resource.currency,
        customer_name=request.customer.name,
        customer_email=request.customer.email,
        customer_reference=request.customer.reference,
        customer_language=request.customer.language,
        metadata=dict(request.metadata),
        expires_at=holds.first_end(operator=client.operator, now=offer.now),
        created_at=offer.now,
        changed_at=offer.now,
        changed_by=payment.changed_by,
        changed_because="reserve",
    )


def _sold(rate: pricing.OfferedRate) -> dict[str, object]:
    return {"id": ids.new_id(), "unit": rate["unit"], "name": rate["name"], "amount": rate["amount"]}


def _go_on(*, client: ApiClient, operation_id: UUID) -> Reserved:
    """Finish what an earlier run with this id began, from wherever it stopped."""
    found = _get(client, operation_id)
    command = found.row.payment.commands.filter(kind__in=commands.STARTING).get()
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
    if reservation.status == ReservationStatus.FAILED and payment.status == PaymentStatus.FAILED:
        raise why_failed(code=payment.failure_code, message=payment.failure_message, prefix="payment.")
    return Reserved(reservation=reservation, at=found.at, units=units, known=known)
