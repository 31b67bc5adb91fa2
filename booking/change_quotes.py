"""What a change of a reservation comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking import dues, unit_prices
from booking.balance import is_being_refunded
from booking.errors import BeingRefundedError, ChangeInProgressError
from booking.models import Reservation
from booking.states import CHANGEABLE, PayBy
from catalogue import pricing
from catalogue.models import Rate, Slot
from common.errors import NotFoundError, ValidationError
from common.states import InvalidStateError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Another departure, more units, or both."""

    slot_id: UUID | None = None
    units: Sequence[pricing.WantedUnit] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What it comes to; amounts in minor units."""

    slot: Slot
    places: int
    """To be held on that departure beside what the reservation has."""
    sold: Sequence[pricing.OfferedRate]
    prices: Mapping[str, int]
    """What the units that it has cost then, by their ids."""
    difference: int
    """What the price becomes more by."""
    due: int
    """What of the difference has to be paid before it is done."""


def quoted(reservation: Reservation, wanted: Wanted, *, at: datetime) -> Quote:
    """Say what a change comes to at a time; nothing is stored.

    Another departure is sold at the rates of today; a unit that has none any more keeps its price.

    Raises:
        InvalidStateError: It is not sold, holds a whole day, or has begun.
        ChangeInProgressError, BeingRefundedError: Something else comes first.
        NotFoundError: The activity has no such departure.
        ValidationError: Nothing changes, or a unit has no rate.
    """
    check(reservation, at=at)
    slot = _slot(reservation, wanted)
    rates = [
        pricing.OfferedRate(unit=rate.unit, name=rate.name, amount=rate.amount)
        for rate in Rate.objects.filter(activity=reservation.activity_id)
    ]
    sold = pricing.quote(rates=rates, wanted=wanted.units)
    is_moved = slot.pk != reservation.slot_id
    had = unit_prices.current(reservation) if is_moved else []
    today = {rate["unit"]: rate["amount"] for rate in rates}
    prices = {str(unit.pk): today.get(unit.unit, price) for unit, price in had}
    difference = sold.amount + sum(prices.values()) - sum(price for _, price in had)
    if reservation.amount_owed + difference < 0:
        message = "More would come off than is owed. Cancel this reservation, and make another one."
        raise ValidationError(param="slot_id", code="invalid", message=message)
    later_by = slot.starts_at - reservation.starts_at
    due = dues.due_with(reservation, difference=difference, later_by=later_by, at=at)
    return Quote(
        slot=slot,
        places=sold.places + (reservation.places if is_moved else 0),
        sold=sold.sold,
        prices=prices,
        difference=difference,
        due=0 if reservation.pay_by == PayBy.ACCOUNT else due,
    )


def check(reservation: Reservation, *, at: datetime) -> None:
    """Refuse for what cannot be changed now.

    Raises:
        InvalidStateError, ChangeInProgressError, BeingRefundedError: As for :func:`quoted`.
    """
    if reservation.status not in CHANGEABLE or reservation.slot_id is None or reservation.starts_at <= at:
        raise InvalidStateError(kind="reservation", status=reservation.status_at(at), wanted="changed")
    if reservation.change is not None and not reservation.change.is_due(at):
        raise ChangeInProgressError
    if is_being_refunded(reservation):
        raise BeingRefundedError


def _slot(reservation: Reservation, wanted: Wanted) -> Slot:
    slot_id = wanted.slot_id or reservation.slot_id
    if slot_id is None or (slot_id == reservation.slot_id and not wanted.units):
        message = "The reservation is already on this departure."
        raise ValidationError(param="slot_id", code="same_slot", message=message)
    slot = Slot.objects.filter(pk=slot_id, activity_id=reservation.activity_id).first()
    if slot is None:
        raise NotFoundError(kind="slot")
    return slot
