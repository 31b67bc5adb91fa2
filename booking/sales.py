"""A sale before it is stored: priced, checked, drawn up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from booking import allowances, availability, dues, holds, on_account
from booking.allowances import Allowance
from booking.models import MANAGES, Receipt, Reservation, Unit
from booking.states import HOLDING, OnDecline, PayBy, Plan, ReservationStatus
from catalogue import plans, pricing, terms
from catalogue.errors import SlotSoldOutError
from common import times
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
    """Empty: none is asked for money."""
    capture_method: CaptureMethod
    payment_method_id: str
    metadata: Mapping[str, str]
    on_decline: OnDecline = OnDecline.RELEASE
    pay_by: PayBy = PayBy.PROVIDER
    plan: Plan = Plan.FULL
    is_hold: bool = False
    """Held for a time, where no provider is asked for money."""
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

    The caller that stores them claims the command. Where no provider is asked there is neither payment nor command.
    """

    reservation: Reservation
    units: Sequence[Unit]
    payment: Payment | None = None
    command: Command | None = None
    receipt: Receipt | None = None

    @property
    def rows(self) -> Sequence[Any]:
        """All of them, to store."""
        single = (self.payment, self.reservation, *self.units, self.command, self.receipt)
        return [row for row in single if row is not None]


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
    schedule = _schedule(request, offer, quote)
    target = schedule[0]["target"]
    due = quote.amount if target is None else target
    is_paid = request.pay_by is PayBy.PROVIDER and quote.amount > 0
    if is_paid or request.is_hold:
        request.allowance.check(holds=offer.live_holds + 1, places=offer.live_places + quote.places)
    if is_paid:
        _check_provider(request, offer, due, currency)
    if offer.free is not None and offer.free < quote.places:
        raise SlotSoldOutError(available=offer.free)
    payment = _payment(order, offer, due) if is_paid else None
    reservation = _reservation(order, offer, quote, payment)
    reservation.schedule = [dict(step) for step in schedule]
    reservation.next_due_at = dues.next_at(reservation)
    units = [_unit(reservation, rate) for rate in quote.sold]
    if payment is not None:
        command = begin(reservation, payment, actor=order.actor, reason="reserve", now=offer.now)
        return Sale(payment=payment, reservation=reservation, units=units, command=command)
    return Sale(reservation=reservation, units=units, receipt=_on_account(order, reservation))


def _check_provider(request: Request, offer: availability.Offer, amount: int, currency: str) -> None:
    """Refuse what the provider cannot take, before anything is stored."""
    if offer.provider_account is None:
        raise NoAccountError(provider=request.provider, param="payment.provider")
    limits.check_capture_method(
        provider=request.provider, wanted=request.capture_method, param="payment.capture_method"
    )
    limits.check_amount(provider=request.provider, amount=amount, currency=currency, param="units")


def _on_account(order: Order, reservation: Reservation) -> Receipt | None:
    """Put what is owed on the account of who sells it, once it is sold."""
    is_due = order.request.pay_by is PayBy.ACCOUNT and reservation.status == ReservationStatus.CONFIRMED
    if not is_due or not reservation.amount_owed:
        return None
    owed, at = reservation.amount_owed, reservation.created_at
    return on_account.put(reservation, owed, at=at, by=order.actor, reason="sold on account")


def _wanted(request: Request, offer: availability.Offer) -> Sequence[pricing.WantedUnit]:
    if request.units:
        return request.units
    if offer.slot is None and len(offer.rates) == 1:
        return [pricing.WantedUnit(unit=offer.rates[0]["unit"], quantity=1)]
    raise ValidationError(param="units", code="required", message="Give the units to reserve.")


def begin(
    reservation: Reservation,
    payment: Payment,
    *,
    actor: str,
    reason: str,
    now: datetime,
    ends_at: datetime | None = None,
) -> Command:
    """Draw up the command that begins a payment of a reservation, claimed.

    A hold's code ends with the hold, and another at ``ends_at``.
    """
    is_hold = reservation.status in HOLDING
    command = commands.new(
        payment=payment,
        kind=CommandKind.AUTHORIZE if payment.capture_method == CaptureMethod.MANUAL else CommandKind.CHARGE,
        requested_by=actor,
        reason=reason,
        now=now,
        beginning=parameters.Beginning(
            payer={
                "name": reservation.customer_name,
                "email": reservation.customer_email,
                "reference": reservation.customer_reference,
            },
            expires_at=reservation.expires_at if is_hold else ends_at,
        ),
    )
    return commands.claimed(command, now=now)


def _schedule(request: Request, offer: availability.Offer, quote: pricing.Quote) -> Sequence[plans.Step]:
    """Freeze what has to be paid by when.

    Raises:
        ValidationError: A deposit is wanted, and the activity asks for none.
    """
    currency = offer.activity.currency
    if request.plan is Plan.FULL:
        return _on_arrival(offer) if request.pay_by is PayBy.ON_ARRIVAL else plans.FULL
    plan = plans.parse(offer.activity.plan, currency=currency)
    if plan is None or request.pay_by is not PayBy.PROVIDER:
        raise ValidationError(param="plan", code="invalid_choice", message="There is no deposit for this.")
    return plans.schedule(
        plan,
        amount=quote.amount,
        units=quote.places,
        step=limits.step(provider=request.provider, currency=currency),
        starts_at=offer.starts_at,
        now=offer.now,
    )


def _on_arrival(offer: availability.Offer) -> Sequence[plans.Step]:
    return ({"by": times.rfc3339(offer.starts_at), "target": None},)


def _payment(order: Order, offer: availability.Offer, amount: int) -> Payment:
    request = order.request
    return Payment(
        operator=order.client.operator,
        provider=request.provider,
        provider_account=offer.provider_account or "",
        amount=amount,
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


def _reservation(order: Order, offer: availability.Offer, quote: pricing.Quote, payment: Payment | None) -> Reservation:
    request = order.request
    status = _first_status(request, payment)
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
        attempts=0 if payment is None else 1,
        on_decline=request.on_decline,
        pay_by=request.pay_by,
        status=status,
        exclusive=offer.activity.exclusive,
        places=quote.places,
        amount=quote.amount,
        amount_owed=quote.amount,
        terms=_terms(offer),
        currency=offer.activity.currency,
        customer_name=request.customer.name,
        customer_email=request.customer.email,
        customer_reference=request.customer.reference,
        customer_language=request.customer.language,
        metadata=dict(request.metadata),
        expires_at=holds.first_end(operator=order.client.operator, now=offer.now) if status in HOLDING else None,
        confirmed_at=offer.now if status == ReservationStatus.CONFIRMED else None,
        created_at=offer.now,
        changed_at=offer.now,
        changed_by=order.actor,
        changed_because="reserve",
    )


def _first_status(request: Request, payment: Payment | None) -> ReservationStatus:
    if payment is not None:
        return ReservationStatus.AWAITING_PAYMENT
    is_hold = request.is_hold and request.pay_by is not PayBy.PROVIDER
    return ReservationStatus.PENDING if is_hold else ReservationStatus.CONFIRMED


def _terms(offer: availability.Offer) -> list[dict[str, Any]] | None:
    return terms.parse(offer.activity.terms, currency=offer.activity.currency) or None


def _unit(reservation: Reservation, rate: pricing.OfferedRate) -> Unit:
    return Unit(reservation=reservation, unit=rate["unit"], name=rate["name"], amount=rate["amount"])
