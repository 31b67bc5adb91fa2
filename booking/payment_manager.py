"""Reservations as managers of their payments, as ``payments`` asks (``payments/managers.py``)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from booking import balance, locks
from booking.models import CHANGED_FIELDS, Change, Reservation
from booking.states import ACTIVE, HOLDING, ChangeStatus, ReservationStatus
from common import database
from payments.models import Payment, Refund


@dataclass(frozen=True, slots=True)
class ReservedPayment:
    """A payment of a reservation, both locked."""

    reservation: Reservation
    payment: Payment
    at: datetime

    def give_back(self, refund: Refund, *, keeps_places: bool) -> None:
        """Owe so much less as a new refund gives back.

        The payment has reserved the money, and is written by the caller. What was surplus before lowers nothing. Places
        are freed by the event.
        """
        reservation, by = self.reservation, refund.requested_by
        surplus = refund.amount - reservation.balance
        given_up = balance.goodwill(reservation, refund, surplus=surplus, at=self.at, by=by, keeps_places=keeps_places)
        database.insert_together(*given_up)  # before it is asked by it whether the guest keeps the places
        rows = balance.even_out(reservation, at=self.at, by=by, because="less is owed")
        database.update_together((reservation, CHANGED_FIELDS), *balance.refunding(rows, but=self.payment))
        database.insert_together(*rows)


def needs(*, managed_id: UUID, managed_part: UUID | None) -> bool:
    """Tell whether a reservation still needs a payment. Takes no lock.

    One of a change is needed while the change is open and its time is not over, and once it is done.

    It does while it holds its places and its time is not over, and while a part is kept of a cancelled one: what is
    being captured is left to land. ``payments`` asks before it sends what takes money.
    """
    over = Q(status__in=sorted(HOLDING), expires_at__lte=Now())
    held = Payment.objects.filter(managed_id=OuterRef("pk"), held_at__isnull=False)
    keeps = Q(Exists(held), status=ReservationStatus.CANCELLED, amount_owed__gt=0)
    needed = Q(status__in=sorted(ACTIVE)) & ~over | keeps
    rows = Reservation.objects.filter(needed, pk=managed_id)
    if managed_part is not None:
        lives = Q(status=ChangeStatus.DONE) | Q(status=ChangeStatus.OPEN, expires_at__gt=Now())
        rows = rows.filter(changes__in=Change.objects.filter(lives, pk=managed_part))
    return rows.exists()


def find(*, managed_id: UUID) -> Reservation | None:
    """Read a reservation, for a page that leads to it."""
    return Reservation.objects.filter(pk=managed_id).first()


def find_for_update(*, payment_id: UUID, operator_id: UUID) -> ReservedPayment | None:
    """Lock a reservation and its payments; None without one."""
    locked = locks.find_reservation_of_payment_for_update(id=payment_id, operator=operator_id)
    if locked is None:
        return None
    return ReservedPayment(locked.row, locked.row.get_payment(payment_id), locked.at)
