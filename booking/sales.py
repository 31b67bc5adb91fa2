"""A sale before it is stored: priced, checked, drawn up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from booking import allowances, availability, holds
from booking.allowances import Allowance
from booking.models import MANAGES, Reservation, Unit
from booking.states import OnDecline, ReservationStatus
from catalogue import pricing
from catalogue.errors import SlotSoldOutError
from common.errors import ValidationError
from payments import commands, limits, parameters
from payments.errors import NoAccountError
from payments.models import Command, Payment
from payments.states import CaptureMethod, CommandKind, PaymentStatus
from tenants.models import ApiClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who the places are for."""

    name: str
    email: str
    reference: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to reserve: a slot, or an exclusive activity as a whole."""

    slot_id: UUID | None
    activity_id: UUID | None
    units: Sequence[pricing.WantedUnit]
    customer: Customer
    provider: str
    capture_method: CaptureMethod
    payment_method_id: str
    metadata: Mapping[str, str]
    on_decline: OnDecline = OnDecline.RELEASE
    allowance: Allowance = field(default_factory=allowances.of_program)
    day: date | None = None
    """The local day of a whole activity; None: today there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request of a client; ``operation_id`` becomes the reservation's."""

    client: ApiClient
    actor: str
    operation_id: UUID
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """The rows of a reservation, not stored yet.

    The caller that stores them claims the command.
    """

    payment: Payment
    reservation: Reservation
    units: Sequence[Unit]
    command: Command


def draw_up(order: Order, offer: availability.Offer) -> Sale:
    """Price an order and draw up its rows. Reads and locks nothing.

    Raises:
        SlotSoldOutError: It has not enough places.
        NoAccountError: The operator has no account at the provider.
        TooManyHoldsError, TooManyPlacesError: The client holds as much as it may.
        ValidationError: The units cannot be priced, or the provider cannot charge or hold the amount.
    """
    request, currency = order.request, offer.activity.currency
    quote = pricing.quote(rates=offer.rates, wanted=_wanted(request, offer))
    request.allowance.check(holds=offer.live_holds + 1, places=offer.live_places + quote.places)
    if offer.provider_account is None:
        raise NoAccountError(provider=request.provider, param="payment.provider")
    limits.check_capture_method(
        provider=request.provider, wanted=request.capture_method, param="payment.capture_method"
    )
    limits.check_amount(provider=request.provider, amount=quote.amount, currency=currency, param="units")
    if offer.free is not None and offer.free < quote.places:
        raise SlotSoldOutError(available=offer.free)
    payment = _payment(order, offer, quote)
    reservation = _reservation(order, offer, quote, payment)
    return Sale(
        payment=payment,
        reservation=reservation,
        units=[_unit(reservation, rate) for rate in quote.sold],
        command=_command(order, offer, reservation),
    )


def _wanted(request: Request, offer: availability.Offer) -> Sequence[pricing.WantedUnit]:
    if request.units:
        return request.units
    if offer.slot is None and len(offer.rates) == 1:
        return [pricing.WantedUnit(unit=offer.rates[0]["unit"], quantity=1)]
    raise ValidationError(param="units", code="required", message="Give the units to reserve.")


def _command(order: Order, offer: availability.Offer, reservation: Reservation) -> Command:
    request, guest = order.request, order.request.customer
    command = commands.new(
        payment=reservation.payment,
        kind=CommandKind.AUTHORIZE if request.capture_method is CaptureMethod.MANUAL else CommandKind.CHARGE,
        requested_by=order.actor,
        reason="reserve",
        now=offer.now,
        beginning=parameters.Beginning(
            payer={"name": guest.name, "email": guest.email, "reference": guest.reference},
            expires_at=reservation.expires_at,
        ),
    )
    return commands.claimed(command, now=offer.now)


def _payment(order: Order, offer: availability.Offer, quote: pricing.Quote) -> Payment:
    request = order.request
    return Payment(
        operator=order.client.operator,
        provider=request.provider,
        provider_account=offer.provider_account or "",
        amount=quote.amount,
        currency=offer.activity.currency,
        capture_method=request.capture_method,
        payment_method_id=request.payment_method_id,
        managed_by=MANAGES,
        managed_id=order.operation_id,
        status=PaymentStatus.PROCESSING if request.payment_method_id else PaymentStatus.REQUIRES_CONFIRMATION,
        created_at=offer.now,
        changed_at=offer.now,
        changed_by=order.actor,
        changed_because="reserve",
    )


def _reservation(order: Order, offer: availability.Offer, quote: pricing.Quote, payment: Payment) -> Reservation:
    request = order.request
    return Reservation(
        id=order.operation_id,
        operator=order.client.operator,
        api_client=order.client,
        activity=offer.activity,
        slot=offer.slot,
        day=offer.day,
        starts_at=offer.starts_at,
        ends_at=offer.ends_at,
        payment=payment,
        on_decline=request.on_decline,
        status=ReservationStatus.AWAITING_PAYMENT,
        exclusive=offer.activity.exclusive,
        places=quote.places,
        amount=quote.amount,
        amount_owed=quote.amount,
        currency=offer.activity.currency,
        customer_name=request.customer.name,
        customer_email=request.customer.email,
        customer_reference=request.customer.reference,
        customer_language=request.customer.language,
        metadata=dict(request.metadata),
        expires_at=holds.first_end(operator=order.client.operator, now=offer.now),
        created_at=offer.now,
        changed_at=offer.now,
        changed_by=order.actor,
        changed_because="reserve",
    )


def _unit(reservation: Reservation, rate: pricing.OfferedRate) -> Unit:
    return Unit(reservation=reservation, unit=rate["unit"], name=rate["name"], amount=rate["amount"])
