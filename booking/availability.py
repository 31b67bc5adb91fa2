"""What can be booked, read without a lock.

An answer may be old when it arrives; the lock decides.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Aggregate,
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, JSONObject, Now

from booking.models import Change, Occupancy, Reservation
from booking.states import HOLDING, ChangeStatus
from catalogue import days
from catalogue.errors import DayOverError
from catalogue.models import Activity, Rate, Slot
from catalogue.pricing import OfferedRate
from catalogue.states import SlotStatus
from common.compiled import Compiled
from common.errors import NotFoundError, ValidationError
from common.locking import AsOf, clocked
from payments import accounts
from tenants import scoping
from tenants.models import ApiClient, Operator

_WORDS = {
    SlotStatus.OPEN.value: "open",
    SlotStatus.SOLD_OUT.value: "sold out",
    SlotStatus.CLOSED.value: "closed",
    SlotStatus.DEPARTED.value: "has left",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Everything a reservation needs before its transaction, from one statement."""

    activity: Activity
    slot: Slot | None
    verdict: str
    """Whether it can be had at this moment: a :class:`SlotStatus`."""
    free: int | None
    """Places that can be had; None: of a whole activity there is no number."""
    day: date | None
    """The local day of an activity that is booked as a whole; None: by slot."""
    starts_at: datetime
    ends_at: datetime
    rates: list[OfferedRate]
    live_holds: int
    live_places: int
    """Of the API client that asks: its holds, and the places in all of them."""
    provider_account: str | None
    """The operator's account at the provider that is to be paid through; None: it has none."""
    now: datetime
    """The database's clock, the one that decides expiry."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What :func:`judged` says of a slot."""

    verdict: str
    """Whether it can be had at this moment: a :class:`SlotStatus`."""
    free: int
    """Places that can be had."""

    @classmethod
    def of(cls, slot: Slot) -> Self:
        """Take it from a slot that was :func:`judged`."""
        read = vars(slot)
        return cls(verdict=read["verdict"], free=read["free"])


def get_slot_offer(*, slot_id: UUID, client: ApiClient, provider: str) -> Offer:
    """Read a slot with its activity, rates, and provider account.

    Raises:
        NotFoundError: The operator has no such slot.
    """
    slot = _OFFERED.first(
        slot_id=slot_id,
        operator=client.operator_id,
        client=client.pk,
        provider=provider,
        mode=accounts.mode_of_sales(provider),
    )
    if slot is None:
        raise NotFoundError(kind="slot")
    judgement, read = Judgement.of(slot), vars(slot)
    return Offer(
        activity=slot.activity,
        slot=slot,
        verdict=judgement.verdict,
        free=judgement.free,
        day=None,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        rates=rates_of(slot),
        live_holds=read["live_holds"],
        live_places=read["live_places"],
        provider_account=read["provider_account"],
        now=AsOf.of(slot).at,
    )


def _offered(*, slot_id: UUID, operator: UUID, client: UUID, provider: str, mode: str) -> QuerySet[Slot]:
    slots = scoping.of_operator(Slot.objects.select_related("activity"), operator, path="activity__operator")
    one = judged(slots.filter(pk=slot_id, activity__is_active=True))
    account = _account(operator="activity__operator", provider=provider, mode=mode)
    return clocked(one.annotate(offered=_rates("activity"), provider_account=account, **_live(client)))


_OFFERED = Compiled(_offered, slot_id=UUID, operator=UUID, client=UUID, provider=str, mode=str)


def get_day_offer(*, activity_id: UUID, day: date | None, client: ApiClient, provider: str) -> Offer:
    """Read an exclusive activity on a local day (None: today there).

    Otherwise as :func:`get_slot_offer`.

    Raises:
        NotFoundError: The operator has no such activity.
        ValidationError: It is booked by slot, or there is no such day.
        DayOverError: The day is over there.
    """
    own = scoping.of_operator(Activity.objects.filter(pk=activity_id, is_active=True), client.operator)
    account = _account(operator="operator", provider=provider, mode=accounts.mode_of_sales(provider))
    activity = clocked(own.annotate(offered=_rates("pk"), provider_account=account, **_live(client.pk))).first()
    if activity is None:
        raise NotFoundError(kind="resource")
    if not activity.exclusive:
        raise ValidationError(
            param="slot_id", code="required", message="This activity is booked by departure. Give a slot_id."
        )
    now, read = AsOf.of(activity).at, vars(activity)
    today = days.today(zone=activity.timezone, now=now)
    if day is not None and day < today:
        raise DayOverError
    start, end = days.times_of(day=day or today, zone=activity.timezone)
    rates = rates_of(activity)
    is_priced = any(rate["amount"] > 0 for rate in rates)
    return Offer(
        activity=activity,
        slot=None,
        verdict=SlotStatus.OPEN.value if is_priced else SlotStatus.CLOSED.value,
        free=None,
        day=day or today,
        starts_at=start,
        ends_at=end,
        rates=rates,
        live_holds=read["live_holds"],
        live_places=read["live_places"],
        provider_account=read["provider_account"],
        now=now,
    )


def judged(rows: QuerySet[Slot]) -> QuerySet[Slot]:
    """Return a :class:`Judgement` of each slot: its status and free places.

    The one rule: it is what is shown and searched for, and what a reservation is turned away by. A hold past its time
    counts as free, since who comes next has it expired.
    """
    is_closed = Q(is_closed=True) | Q(activity__is_active=False) | ~_priced()
    return rows.annotate(
        due=_places_due(),
        verdict=Case(
            When(starts_at__lte=Now(), then=Value(SlotStatus.DEPARTED.value)),
            When(is_closed, then=Value(SlotStatus.CLOSED.value)),
            When(Q(activity__exclusive=True) & _taken(), then=Value(SlotStatus.SOLD_OUT.value)),
            When(capacity__lte=F("reserved") - F("due"), then=Value(SlotStatus.SOLD_OUT.value)),
            default=Value(SlotStatus.OPEN.value),
            output_field=CharField(),
        ),
        free=Case(
            When(verdict=SlotStatus.OPEN.value, then=F("capacity") - F("reserved") + F("due")),
            default=0,
            output_field=IntegerField(),
        ),
    )


def in_words(slot: Slot) -> str:
    """Write the verdict on a slot that was :func:`judged`."""
    return _WORDS[Judgement.of(slot).verdict]


def places_in_words(slot: Slot) -> str:
    """Write how many places of a :func:`judged` slot are free, if any."""
    free = Judgement.of(slot).free
    return f"{free} place{'' if free == 1 else 's'} free" if free else in_words(slot)


def _priced() -> Exists:
    """Whether a slot's activity has a price by which anything can be charged."""
    return Exists(Rate.objects.filter(activity=OuterRef("activity"), amount__gt=0))


def _taken() -> Exists:
    """Whether a party has the exclusive activity of a slot at its time, by a hold that lives or for good."""
    activity = Func(OuterRef("activity_id"), OuterRef("activity_id"), Value("[]"), function="uuidrange")
    time = Func(OuterRef("starts_at"), OuterRef("ends_at"), function="tstzrange")
    overlaps = Func(F("during"), time, template="(%(expressions)s)", arg_joiner=" && ", output_field=BooleanField())
    return Exists(
        Occupancy.objects.filter(overlaps, activity_key=activity).exclude(
            reservation__status__in=sorted(HOLDING), reservation__expires_at__lte=Now()
        )
    )


def _places_due() -> Any:
    """Count the places of a slot whose hold, or change, is over; the next buyer frees them."""
    over = {"slot": OuterRef("pk"), "expires_at__lte": Now()}
    holds = Reservation.objects.filter(status__in=sorted(HOLDING), **over)
    asked, places = Change.objects.filter(status=ChangeStatus.OPEN, **over), Sum("places")
    return _summed(holds, by="slot", of=places) + _summed(asked, by="slot", of=places)


def _summed(rows: QuerySet[Any], *, by: str, of: Aggregate) -> Coalesce:
    counted = rows.order_by().values(by).annotate(counted=of).values("counted")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def slots(*, operator: Operator) -> QuerySet[Slot]:
    """List an operator's slots with their rates (:func:`rates_of`), each as :func:`judged`."""
    own = scoping.of_operator(Slot.objects.filter(activity__is_active=True), operator, path="activity__operator")
    return judged(own).annotate(offered=_rates("activity"))


def rates_of(row: Slot | Activity) -> list[OfferedRate]:
    """Return the rates that were read with a slot or an activity."""
    rates: list[OfferedRate] = vars(row)["offered"]
    return rates


def matching(
    *, operator: Operator, activity_id: UUID | None, places: int | None, start: datetime | None, end: datetime | None
) -> QuerySet[Slot]:
    """List an operator's slots that start from ``start`` (None: now) to ``end``.

    With ``places``, only those with so many free places at this moment.
    """
    found = slots(operator=operator).filter(starts_at__gte=Now() if start is None else start)
    if activity_id is not None:
        found = found.filter(activity_id=activity_id)
    if end is not None:
        found = found.filter(starts_at__lt=end)
    if places is not None:
        found = found.filter(Q(verdict=SlotStatus.OPEN.value, free__gte=places))
    return found


def activities(*, operator: Operator) -> QuerySet[Activity]:
    """List an operator's activities with their rates."""
    return scoping.of_operator(Activity.objects.filter(is_active=True), operator).prefetch_related("rates")


def _rates(outer: str) -> ArraySubquery:
    fields = JSONObject(id="id", unit="unit", name="name", amount="amount")
    return ArraySubquery(Rate.objects.filter(activity=OuterRef(outer)).values_list(fields))


def _account(*, operator: str, provider: str, mode: str) -> Subquery:
    """Name the account that a new sale is paid through; NULL if there is none."""
    rows = accounts.taking_sales(operator=OuterRef(operator), provider=provider, mode=mode)
    return Subquery(rows.values("reference")[:1])


def _live(client: UUID) -> dict[str, Any]:
    """Count what a client holds unpaid: reservations and changes, and the places in all of them."""
    own = {"api_client": client, "expires_at__gt": Now()}
    holds = Reservation.objects.filter(status__in=sorted(HOLDING), **own)
    asked = Change.objects.filter(status=ChangeStatus.OPEN, **own)
    counts = {"live_holds": Count("pk"), "live_places": Sum("places")}
    return {
        name: _summed(holds, by="api_client", of=count) + _summed(asked, by="api_client", of=count)
        for name, count in counts.items()
    }
