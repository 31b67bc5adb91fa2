"""The dashboard: today's departures, sales, and what needs a person.

Every figure is of the person's operators, and is read through an index: what a day costs to read depends on what
happened on it, not on how much has happened before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from adminkit import date_filter, links
from booking.models import Reservation
from booking.states import ReservationStatus
from catalogue.models import Slot
from common import currencies, ids
from notifications.models import Mail, MailStatus
from payments import accounts
from payments.models import Dispute, Payment, ProviderThrottle
from reconciliation.models import Discrepancy, DiscrepancyStatus
from sweeps import health
from sweeps.models import SweepRun
from tenants import clocks, scoping
from webhooks.models import Event, EventStatus, Notice, NoticeStatus

DAYS = 14
"""Days of the charts, today's included."""
_MOST_DEPARTURES = 60
_MOST = 100
"""What needs a person is counted so far: more than that is one answer."""

_KEPT = (ReservationStatus.PENDING, ReservationStatus.CONFIRMED, ReservationStatus.PAID, ReservationStatus.REFUNDED)


@dataclass(frozen=True, slots=True)
class Column:
    """A day of a chart, as shares of the tallest day."""

    day: date
    parts: list[tuple[str, int, str]]
    """Name, percent of the chart's height, and the figure in words."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a person must attend to: how many, and where."""

    title: str
    number: str
    url: str
    is_well: bool


def of(person: Any) -> dict[str, Any]:
    """Return all that the dashboard of a person shows."""
    zone = ZoneInfo(scoping.zone_of(person))
    today = timezone.now().astimezone(zone).date()
    day, departures = _departures(person, today, zone)
    return {
        "zone": zone.key,
        "day": day,
        "departures": departures,
        "departures_url": f"{links.list_of(Slot)}?{urlencode({date_filter.PARAMETER: day})}",
        "revenue": _revenue(person, today, zone),
        "holds": _holds(person, today, zone),
        "needs": _needs(person),
        "health": _health(person),
    }


def _departures(person: Any, today: date, zone: ZoneInfo) -> tuple[date, list[dict[str, Any]]]:
    """List today's departures, each with how full it is; if there are none, those of the next day that has some."""
    rows = scoping.visible_to(Slot.objects.all(), person, path="activity__operator").order_by("starts_at", "id")
    next_at = rows.filter(starts_at__gte=_start(today, zone)).values_list("starts_at", flat=True).first()
    day = today if next_at is None else next_at.astimezone(zone).date()
    start, end = _start(day, zone), _start(day + timedelta(days=1), zone)
    found = rows.filter(starts_at__gte=start, starts_at__lt=end).select_related("activity")
    return day, [
        {
            "slot": slot,
            "url": links.page_of(slot),
            "time": clocks.hour(slot.starts_at, slot.activity.timezone),
            "percent": 100 * slot.reserved // slot.capacity if slot.capacity else 100,
        }
        for slot in found[:_MOST_DEPARTURES]
    ]


def _revenue(person: Any, today: date, zone: ZoneInfo) -> list[tuple[str, list[Column], str]]:
    """Sum what was captured for reservations by day, a chart for each currency, and in all."""
    rows = _mine(Reservation, person).filter(paid_at__gte=_start(_first(today), zone))
    sums = rows.annotate(on=TruncDate("paid_at", tzinfo=zone)).values("on", "currency").annotate(sum=Sum("amount"))
    found: dict[str, dict[date, int]] = {}
    for row in sums.order_by("currency", "on"):
        found.setdefault(row["currency"], {})[row["on"]] = row["sum"]
    return [
        (
            currency,
            _columns(today, {"captured": days}, lambda sum, of=currency: currencies.shown(sum, of)),  # type: ignore[misc]
            currencies.shown(sum(days.values()), currency),
        )
        for currency, days in found.items()
    ]


def _holds(person: Any, today: date, zone: ZoneInfo) -> list[Column]:
    """Count the reservations made by day: those that hold or were paid, and those that came to nothing."""
    rows = _mine(Reservation, person).filter(pk__gte=ids.first_at(_start(_first(today), zone)))
    kept = Count("id", filter=Q(status__in=_KEPT))
    counted = rows.annotate(on=TruncDate("created_at", tzinfo=zone)).values("on").annotate(kept=kept, all=Count("id"))
    found: dict[str, dict[date, int]] = {"held or sold": {}, "came to nothing": {}}
    for row in counted.order_by("on"):
        found["held or sold"][row["on"]] = row["kept"]
        found["came to nothing"][row["on"]] = row["all"] - row["kept"]
    return _columns(today, found, str)


def _needs(person: Any) -> list[Need]:
    discrepancies = _mine(Discrepancy, person).exclude(status=DiscrepancyStatus.RESOLVED)
    events = scoping.visible_to(Event.objects.all(), person, path="payment__operator")
    needs = [
        _need("Open discrepancies", discrepancies, "status__exact=open"),
        _need("Stuck payments", _mine(Payment, person).filter(stuck_at__isnull=False), "stuck_at__isempty=0"),
        _need("Failed events", events.filter(status=EventStatus.FAILED), "status__exact=failed"),
        _need("Open disputes", _mine(Dispute, person).filter(is_closed=False), "is_closed__exact=0"),
        _need("Mails given up", _mine(Mail, person).filter(status=MailStatus.GIVEN_UP), "status__exact=given_up"),
    ]
    if person.is_superuser:  # until it is looked up, a notice is of no operator
        given_up = Notice.objects.filter(status=NoticeStatus.GIVEN_UP)
        needs += [
            _need("Notices given up", given_up, "status__exact=given_up"),
            _need("Operators that sell nothing", accounts.operators_without(), "sells=no"),
        ]
    return needs


def _need(title: str, rows: QuerySet[Any], query: str) -> Need:
    number = rows.order_by()[:_MOST].count()
    url = f"{links.list_of(rows.model)}?{query}"
    return Need(title, f"{_MOST} or more" if number == _MOST else str(number), url, number == 0)


def _health(person: Any) -> list[Need]:
    """Say how the background is, each check in a word or with what is wrong."""
    runs = links.list_of(SweepRun)
    urls = {
        "sweeps": runs,
        "promises": runs,
        "providers": links.list_of(ProviderThrottle) if person.is_superuser else "",
    }
    return [
        Need(name.capitalize(), "well" if is_well else _wrong(check), urls.get(name, ""), is_well)
        for name, check in health.checks().items()
        for is_well in (bool(check["ok"]) and not check.get("failing"),)
    ]


def _wrong(check: Mapping[str, Any]) -> str:
    named = {"overdue": check.get("overdue"), "rows failed": check.get("failing")}
    if sweeps := [f"{what}: {', '.join(names)}" for what, names in named.items() if names]:
        return "; ".join(sweeps)
    if broken := check.get("broken"):
        return f"{broken} broken"
    if paused := check.get("accounts_paused"):
        return f"{paused} held off"
    return str(check.get("reason") or "not seen")


def _mine(model: Any, person: Any) -> QuerySet[Any]:
    return scoping.visible_to(model.objects.all(), person)


def _columns(today: date, parts: Mapping[str, Mapping[date, int]], written: Callable[[int], str]) -> list[Column]:
    days = [_first(today) + timedelta(days=number) for number in range(DAYS)]
    tallest = max((sum(part.get(day, 0) for part in parts.values()) for day in days), default=0) or 1
    return [
        Column(day, [(name, round(100 * part.get(day, 0) / tallest), written(part.get(day, 0)))
                     for name, part in parts.items()])
        for day in days
    ]  # fmt: skip


def _first(today: date) -> date:
    return today - timedelta(days=DAYS - 1)


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
