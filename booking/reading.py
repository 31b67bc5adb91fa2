"""Reading reservations, as the API lists them."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from booking.models import Reservation
from booking.states import HOLDING, ReservationStatus
from common.errors import NotFoundError
from tenants import scoping
from tenants.models import ApiClient, Operator


def reservations(*, operator: Operator, own: ApiClient | None = None) -> QuerySet[Reservation]:
    """Select an operator's reservations with payment and units; ``db_now`` is the database's clock.

    ``own`` narrows them to those that a client made itself: a customer sees no others.
    """
    rows = scoping.of_operator(Reservation.objects.select_related("payment"), operator)
    if own is not None:
        rows = rows.filter(api_client=own)
    return rows.prefetch_related("units").annotate(db_now=Now())


def get_reservation(*, operator: Operator, reservation_id: UUID, own: ApiClient | None = None) -> Reservation:
    """Read one reservation; ``own`` as for :func:`reservations`.

    Raises:
        NotFoundError: The operator has no such reservation.
    """
    found = reservations(operator=operator, own=own).filter(pk=reservation_id).first()
    if found is None:
        raise NotFoundError(kind="reservation")
    return found


def with_status(status: str) -> Q:
    """Match reservations that read as ``status`` now: a hold past its time is expired before the sweep has come."""
    due = Q(status__in=sorted(HOLDING), expires_at__lte=Now())
    if status == ReservationStatus.EXPIRED:
        return Q(status=status) | due
    return Q(status=status) & ~due if status in HOLDING else Q(status=status)


def created_between(*, start: datetime | None, end: datetime | None) -> Q:
    """Match what was made from ``start`` on and before ``end``."""
    wanted = Q()
    if start is not None:
        wanted &= Q(created_at__gte=start)
    if end is not None:
        wanted &= Q(created_at__lt=end)
    return wanted
