"""Reading reservations, as the API lists them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject, Now

from booking import search
from booking.models import Adjustment, Reservation, Unit
from booking.states import HOLDING, ReservationStatus
from common.compiled import Compiled
from common.errors import NotFoundError
from common.locking import AsOf, clocked
from tenants import scoping
from tenants.models import ApiClient, Operator


def reservations(*, operator: Operator | UUID, own: ApiClient | UUID | None = None) -> QuerySet[Reservation]:
    """Select an operator's reservations with payment, units (:func:`units`) and the time (``locking.clocked``).

    ``own`` narrows them to those that a client made itself: a customer sees no others.
    """
    rows = scoping.of_operator(Reservation.objects.select_related("payment", "change"), operator)
    if own is not None:
        rows = rows.filter(api_client=own)
    units = _left().filter(reservation=OuterRef("pk")).order_by("id")
    sold = ArraySubquery(units.values_list(JSONObject(id="id", unit="unit", name="name", amount="amount")))
    changes = Adjustment.objects.filter(reservation=OuterRef("pk")).order_by("id")
    adjusted = ArraySubquery(
        changes.values_list(JSONObject(id="id", kind="kind", name="name", amount="amount", at="at"))
    )
    return clocked(rows.annotate(sold=sold, adjusted=adjusted))


def units(row: Reservation) -> Sequence[Unit]:
    """List the units that it has, as they were sold.

    Without those that were given back. No query if the reservation was read here.
    """
    sold: Sequence[dict[str, Any]] | None = getattr(row, "sold", None)
    if sold is None:
        return list(_left().filter(reservation=row).order_by("id"))
    return [Unit(reservation=row, **unit) for unit in sold]


def _left() -> QuerySet[Unit]:
    return Unit.objects.filter(~Exists(Adjustment.objects.filter(unit=OuterRef("pk"))))


def adjustments(row: Reservation) -> Sequence[Adjustment]:
    """List the changes of the price; no query if read here."""
    changes: Sequence[dict[str, Any]] | None = getattr(row, "adjusted", None)
    if changes is None:
        return list(row.adjustments.all())
    return [Adjustment(reservation=row, **{**change, "at": datetime.fromisoformat(change["at"])}) for change in changes]


def get_reservation(*, operator: Operator, reservation_id: UUID, own: ApiClient | None = None) -> AsOf[Reservation]:
    """Read one reservation; ``own`` as for :func:`reservations`.

    Raises:
        NotFoundError: The operator has no such reservation.
    """
    where = {"reservation_id": reservation_id, "operator": operator.pk}
    found = _ONE.first(**where) if own is None else _ONES_OWN.first(**where, own=own.pk)
    if found is None:
        raise NotFoundError(kind="reservation")
    return AsOf.of(found)


def _one(*, reservation_id: UUID, operator: UUID, own: UUID | None = None) -> QuerySet[Reservation]:
    return reservations(operator=operator, own=own).filter(pk=reservation_id)


_ONE = Compiled(_one, reservation_id=UUID, operator=UUID)
_ONES_OWN = Compiled(_one, reservation_id=UUID, operator=UUID, own=UUID)


def with_status(status: str) -> Q:
    """Match reservations that read as ``status`` now.

    A past hold is expired before the sweep has come.
    """
    due = Q(status__in=sorted(HOLDING), expires_at__lte=Now())
    if status == ReservationStatus.EXPIRED:
        return Q(status=status) | due
    return Q(status=status) & ~due if status in HOLDING else Q(status=status)


def of_customer(email: str, *, operator: Operator) -> Q:
    """Match what a mail address has booked, in any case."""
    return Q(pk__in=search.find(email, operators=[operator.pk]), customer_email__iexact=email)


def created_between(*, start: datetime | None, end: datetime | None) -> Q:
    """Match what was made from ``start`` on and before ``end``."""
    wanted = Q()
    if start is not None:
        wanted &= Q(created_at__gte=start)
    if end is not None:
        wanted &= Q(created_at__lt=end)
    return wanted
