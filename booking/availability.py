"""What can be booked, read without a lock: an answer may be old when it arrives, the lock decides."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, JSONObject, Now

from booking import days
from booking.errors import DayOverError
from booking.models import Rate, Reservation, Resource, Slot
from booking.pricing import OfferedRate
from booking.states import HOLDING
from common.compiled import Compiled
from common.errors import NotFoundError, ValidationError
from tenants import scoping
from tenants.models import ApiClient, Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """All that a reservation needs to know before its transaction, read in one statement."""

    resource: Resource
    slot: Slot | None
    day: date | None
    """The local day of a resource that is booked as a whole; None: by slot."""
    starts_at: datetime
    ends_at: datetime
    rates: list[OfferedRate]
    live_holds: int
    """Of the API client that asks."""
    now: datetime
    """The database's clock, the one that decides expiry."""


def get_slot_offer(*, slot_id: UUID, client: ApiClient) -> Offer:
    """Read a slot with its resource and rates.

    Raises:
        NotFoundError: The operator has no such slot.
    """
    slot: Any = _OFFERED.first(slot_id=slot_id, operator=client.operator_id, client=client.pk)
    if slot is None:
        raise NotFoundError(kind="slot")
    return Offer(
        resource=slot.resource,
        slot=slot,
        day=None,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        rates=slot.offered,
        live_holds=slot.live_holds,
        now=slot.db_now,
    )


def _offered(*, slot_id: UUID, operator: UUID, client: UUID) -> QuerySet[Slot]:
    slots = scoping.of_operator(Slot.objects.select_related("resource"), operator, path="resource__operator")
    return slots.filter(pk=slot_id, resource__is_active=True).annotate(
        offered=_rates("resource"), live_holds=_live_holds(client), db_now=Now()
    )


_OFFERED = Compiled(_offered, slot_id=UUID, operator=UUID, client=UUID)


def get_day_offer(*, resource_id: UUID, day: date | None, client: ApiClient) -> Offer:
    """Read a resource that is booked as a whole on a local day (None: today there), with its rates.

    Raises:
        NotFoundError: The operator has no such resource.
        ValidationError: It is booked by slot, or there is no such day.
        DayOverError: The day is over there.
    """
    resource = (
        scoping.of_operator(Resource.objects.filter(pk=resource_id, is_active=True), client.operator)
        .annotate(offered=_rates("pk"), live_holds=_live_holds(client.pk), db_now=Now())
        .first()
    )
    if resource is None:
        raise NotFoundError(kind="resource")
    if not resource.exclusive:
        raise ValidationError(param="slot_id", code="required", message="This is booked by slot; name a slot_id.")
    now: datetime = resource.db_now
    today = days.today(zone=resource.timezone, now=now)
    if day is not None and day < today:
        raise DayOverError
    start, end = days.times_of(day=day or today, zone=resource.timezone)
    return Offer(
        resource=resource,
        slot=None,
        day=day or today,
        starts_at=start,
        ends_at=end,
        rates=resource.offered,
        live_holds=resource.live_holds,
        now=now,
    )


def slots(*, operator: Operator) -> QuerySet[Slot]:
    """List an operator's slots; ``due`` is the number of places whose hold is over and that the sweep will free."""
    due = (
        Reservation.objects.filter(slot=OuterRef("pk"), status__in=sorted(HOLDING), expires_at__lte=Now())
        .order_by()
        .values("slot")
        .annotate(places_due=Sum("places"))
        .values("places_due")
    )
    own = scoping.of_operator(Slot.objects.filter(resource__is_active=True), operator, path="resource__operator")
    return own.annotate(due=Coalesce(Subquery(due, output_field=IntegerField()), Value(0)), offered=_rates("resource"))


def matching(
    *, operator: Operator, resource_id: UUID | None, places: int | None, start: datetime | None, end: datetime | None
) -> QuerySet[Slot]:
    """List an operator's slots that start from ``start`` on and before ``end``, with room for ``places``."""
    found = slots(operator=operator)
    if resource_id is not None:
        found = found.filter(resource_id=resource_id)
    if start is not None:
        found = found.filter(starts_at__gte=start)
    if end is not None:
        found = found.filter(starts_at__lt=end)
    if places is not None:
        found = found.filter(is_closed=False, capacity__gte=F("reserved") - F("due") + places)
    return found


def resources(*, operator: Operator) -> QuerySet[Resource]:
    """List an operator's resources with their rates."""
    return scoping.of_operator(Resource.objects.filter(is_active=True), operator).prefetch_related("rates")


def _rates(outer: str) -> ArraySubquery:
    fields = JSONObject(id="id", unit="unit", name="name", amount="amount")
    return ArraySubquery(Rate.objects.filter(resource=OuterRef(outer)).values_list(fields))


def _live_holds(client: UUID) -> Coalesce:
    live = (
        Reservation.objects.filter(api_client=client, status__in=sorted(HOLDING), expires_at__gt=Now())
        .order_by()
        .values("api_client")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return Coalesce(Subquery(live, output_field=IntegerField()), Value(0))
