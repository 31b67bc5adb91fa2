"""Locks on reservations; ``catalogue/locks.py`` has those of activities and slots.

One order everywhere: API client → event → reservation → payment → activity → slots by id. A reservation and its payment
are locked by one statement, which locks them in that order row by row. The activity is locked by triggers, with each
reservation that takes or leaves places: ``FOR KEY SHARE``, for which sales do not wait, or ``FOR UPDATE`` by who
changes what is sold (``sold_guards.py``). The slot is the hot row: it is locked last and for the
shortest time, and ``FOR NO KEY UPDATE``, since the foreign key of a new reservation takes a key-share lock on it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet, Subquery
from django.db.models.functions import Now

from booking.models import MANAGES, Reservation, Till
from booking.states import HOLDING
from common import database
from common.compiled import Compiled, CompiledBy
from common.errors import NotFoundError
from common.locking import Locked, clocked
from payments import parameters
from payments.models import Payment
from tenants.models import ApiClient

ANY = Q()
"""No condition: all of them."""


def _with_payment() -> QuerySet[Reservation]:
    """Read and lock both; one that has no payment is not read here, since no outer join can be locked."""
    paid_by = Reservation.objects.filter(payment__managed_by=MANAGES).select_related("payment")
    return clocked(paid_by.select_for_update(no_key=True, of=("self", "payment")))


def _of_payment(**where: Any) -> QuerySet[Reservation]:
    driven = Payment.objects.filter(managed_by=MANAGES, **where).values("managed_id")[:1]
    return _with_payment().filter(pk=Subquery(driven))[:1]


_WITH_PAYMENT = CompiledBy(_with_payment)
_ALONE = CompiledBy(lambda: clocked(Reservation.objects.select_for_update(no_key=True, of=("self",))))
_OF_PAYMENT = {
    frozenset(kinds): Compiled(_of_payment, **kinds)
    for kinds in (
        {"id": UUID},
        {"id": UUID, "operator": UUID},
        {"provider": str, "provider_account": str, "provider_ref": str},
    )
}


def find_reservation_for_update(**where: Any) -> Locked[Reservation] | None:
    """Lock the reservation that has these values, and its payments.

    Mostly one statement, which locks it and the one payment that it has. A join shows a payment that was stored while
    it waited for the reservation to nobody (PostgreSQL 13.2.1: it goes on with the rows that it had found), so it finds
    nothing when the reservation has another payment by then; and the reservation counts its attempts. Either
    way its payments are read by a statement of their own, which begins when the reservation is locked.
    """
    database.require_transaction()
    found = _WITH_PAYMENT.first(**where) or _ALONE.first(**where)
    if found is None:
        return None
    return _with_all_payments(found)


def get_reservation_for_update(**where: Any) -> Locked[Reservation]:
    """Lock a reservation and its payments, as :func:`find_reservation_for_update`.

    Raises:
        NotFoundError: There is none that has these values.
    """
    locked = find_reservation_for_update(**where)
    if locked is None:
        raise NotFoundError(kind="reservation")
    return locked


def find_reservation_of_payment_for_update(**where: Any) -> Locked[Reservation] | None:
    """Lock the reservation that drives a payment with these values.

    And its payments, as :func:`find_reservation_for_update`.
    """
    database.require_transaction()
    found = _OF_PAYMENT[frozenset(where)].first(**where)
    if found is not None:
        return _with_all_payments(found)
    driven = Payment.objects.filter(managed_by=MANAGES, **where).values_list("managed_id", flat=True).first()
    return find_reservation_for_update(pk=driven) if driven is not None else None


def _with_all_payments(found: Reservation) -> Locked[Reservation]:
    locked = Locked.of(found)
    if not found.attempts:
        found.know_payments([])
    elif found.attempts > 1 or "payment" not in found._state.fields_cache:
        found.know_payments(_list_payments_for_update(found))
    return locked


def _list_payments_for_update(reservation: Reservation) -> list[Payment]:
    """Lock all payments of a locked reservation, by id."""
    own = Payment.objects.filter(managed_id=reservation.pk, managed_by=MANAGES)
    return list(own.select_for_update(no_key=True).order_by("id"))


def lock_client(*, client_id: UUID) -> None:
    """Lock an API client, before anything else.

    So its holds are counted for one reservation at a time.

    ``FOR NO KEY UPDATE``: the foreign keys of its reservations take a key-share lock on it.
    """
    database.require_transaction()
    list(ApiClient.objects.select_for_update(no_key=True).filter(pk=client_id).values_list("pk"))


def due(*, now: datetime | None, among: Q = ANY) -> QuerySet[Reservation]:
    """Select past holds, by the database's clock without ``now``. Takes no lock."""
    over = Reservation.objects.filter(status__in=sorted(HOLDING), expires_at__lte=Now() if now is None else now)
    return over.filter(among).order_by("expires_at")


def list_due_for_update(
    *, now: datetime | None, limit: int, among: Q = ANY, only: UUID | None = None
) -> list[Locked[Reservation]]:
    """Lock past holds and their payments, skipping rows locked by others.

    Only what expiring needs of them is read, which saves it a third of its time in Python. Those that no payment was
    begun for come after the others.
    """
    found = due(now=now, among=among)
    if only is not None:
        found = found.filter(pk=only)
    fields = ("status", "slot", "places", "attempts", "replacing", "payment")
    locked = (
        found.filter(payment__managed_by=MANAGES)
        .select_related("payment")
        .only(*fields, "payment__status", *(f"payment__{field}" for field in parameters.FROZEN_FIELDS))
        .select_for_update(no_key=True, of=("self", "payment"), skip_locked=True)
    )
    rows = [Locked.of(row) for row in clocked(locked)[:limit]]
    if len(rows) < limit:
        unpaid = found.filter(payment=None).only(*fields).select_for_update(no_key=True, skip_locked=True)
        rows += [Locked.of(row) for row in clocked(unpaid)[: limit - len(rows)]]
    return rows


def get_till_for_update(*, till_id: UUID) -> Locked[Till]:
    """Lock a till, to count it."""
    database.require_transaction()
    return Locked.of(clocked(Till.objects.select_for_update(no_key=True)).get(pk=till_id))


def find_open_till(*, till_id: UUID, among: QuerySet[Till]) -> Till | None:
    """Lock an open till, so that nobody counts it meanwhile."""
    database.require_transaction()
    return among.select_for_update(no_key=True).filter(pk=till_id).first()


def lock_occupancy(*, activity_id: UUID) -> None:
    """Lock the times of an exclusive activity, as its triggers do.

    For callers that end other holds before they take a time.

    Who takes a time waits for an uncommitted end of another's while it has this lock: so it must be had before the end.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock('booking_occupancy'::regclass::oid::int, hashtext(%s))", [str(activity_id)]
        )
