"""Cancel: free the places and store the hold's release."""

from datetime import datetime
from uuid import UUID

from booking import balance, execution, locks
from booking.models import CHANGED_FIELDS, Reservation
from booking.states import ReservationStatus
from catalogue import inventory
from common import database
from common.errors import NotFoundError
from common.locking import AsOf
from common.states import InvalidStateError
from payments.models import Command
from payments.states import CommandKind
from tenants.models import Operator


def cancel(
    *, operator: Operator, reservation_id: UUID, operation_id: UUID, actor: str, reason: str
) -> AsOf[Reservation]:
    """Cancel an unconfirmed reservation, free its places and release its hold.

    ``operation_id`` becomes the id of the adjustment that ends what is owed: a second run with it goes on from where
    the first stopped. Must be called outside a transaction. If the hold itself is still in flight, its release waits
    for it.

    Raises:
        NotFoundError: The operator has no such reservation.
        InvalidStateError: It is confirmed or over.
    """
    with database.use_case():
        locked = locks.find_reservation_for_update(pk=reservation_id, operator=operator.pk)
        if locked is None:
            raise NotFoundError(kind="reservation")
        if _is_own(locked.row, operation_id):
            release = Command.objects.filter(payment__in=locked.row.payments, kind=CommandKind.CANCEL).last()
        else:
            release = _cancel(locked.row, operation_id, actor, reason, now=locked.at)
    done = execution.execute(command_id=release.pk) if release is not None else None
    return done.result.as_of if done is not None else locked


def _is_own(reservation: Reservation, operation_id: UUID) -> bool:
    """Tell whether an earlier run of this operation cancelled the reservation."""
    over = reservation.status == ReservationStatus.CANCELLED
    return over and reservation.adjustments.filter(pk=operation_id).exists()


def _cancel(reservation: Reservation, operation_id: UUID, actor: str, reason: str, *, now: datetime) -> Command | None:
    if reservation.is_due(now):
        raise InvalidStateError(
            kind="reservation", status=ReservationStatus.EXPIRED, wanted=ReservationStatus.CANCELLED
        )
    ended = balance.end(reservation, at=now, by=actor, because=reason, operation_id=operation_id)
    reservation.move(ReservationStatus.CANCELLED, at=now, by=actor, because=reason)
    rows = balance.even_out(reservation, at=now, by=actor, because=reason)
    database.update_together((reservation, CHANGED_FIELDS))
    database.insert_together(ended, *rows)
    inventory.release([reservation])
    return next((row for row in rows if isinstance(row, Command)), None)
