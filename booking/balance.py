"""The balance of a reservation, and what evens it out.

:func:`even_out` alone has surplus given back, and sets the status by the sums.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Sum

from booking import dues, seats, surplus
from booking.models import CHANGED_FIELDS, Adjustment, Reservation
from booking.states import HOLDING, SELLING, AdjustmentKind, ChangeStatus, ReceiptMethod, ReservationStatus
from catalogue import inventory
from common import currencies, database, ids
from payments import execution, outcome_steps, refund_steps
from payments.models import Command, Payment, Refund
from payments.outcome_types import Effect
from payments.states import CommandKind, CommandStatus, PaymentStatus

_LOWERING = (AdjustmentKind.GOODWILL, AdjustmentKind.DISCOUNT, AdjustmentKind.WITHDRAWAL, AdjustmentKind.UNIT)
"""What may be the reason that all money goes back."""


def even_out(reservation: Reservation, *, at: datetime, by: str, because: str) -> list[Any]:
    """Give surplus back, close what nobody needs, set the status.

    The reservation and its payments are locked; called last wherever what is owed, proven or on its way back, or an
    attempt, has changed. Run again it changes nothing. Returns the rows to store; the caller writes the changed fields
    of the reservation (``models.CHANGED_FIELDS``) and of the payments (:func:`refunding`), together with them or
    before.
    """
    if reservation.change_id is not None and is_being_refunded(reservation):
        inventory.release(seats.end_change(reservation, ChangeStatus.CANCELLED, at=at, by=by, because=because))
    rows = [*surplus.give_back(reservation, at=at), *_turn(reservation, at, by, because), *_close(reservation, at)]
    rows += _forgive(reservation, at, by)
    reservation.next_due_at = dues.next_at(reservation)
    _show(reservation)
    return rows


def store(reservation: Reservation, rows: Sequence[Any], *, also: Sequence[str] = ()) -> None:
    """Write a reservation that was evened out, with the rows of :func:`even_out`.

    For callers that write no payment themselves. ``also`` names fields beside ``models.CHANGED_FIELDS``.
    """
    database.update_together((reservation, (*also, *CHANGED_FIELDS)), *refunding(rows))
    database.insert_together(*rows)


def settle(
    reservation: Reservation,
    *,
    at: datetime,
    by: str,
    because: str,
    leaves: Iterable[inventory.Party] = (),
    also: Sequence[str] = (),
) -> None:
    """Even a locked reservation out, write it, and send what follows.

    For callers that write no payment themselves, and wait for no answer. ``leaves`` are the places given back, which
    locks their slots last; ``also`` as for :func:`store`.
    """
    rows = even_out(reservation, at=at, by=by, because=because)
    store(reservation, rows, also=also)
    inventory.release(leaves)
    for row in rows:
        if isinstance(row, Command):
            execution.queue(command_id=row.pk)


def refunding(rows: Sequence[Any], *, but: Payment | None = None) -> list[tuple[Payment, Sequence[str]]]:
    """List the payments to write for the refunds among some rows."""
    payments = {row.payment.pk: row.payment for row in rows if isinstance(row, Refund)}
    return [(payment, refund_steps.CHANGED_FIELDS) for payment in payments.values() if payment is not but]


def effect_of(rows: Sequence[Any]) -> Effect | None:
    """Tell by the rows to store whether money is given back."""
    return Effect.REFUNDING if any(isinstance(row, Refund) for row in rows) else None


def part_paid(reservation: Reservation) -> str:
    """Say how much of what is owed is paid."""
    sums = (reservation.amount_proven + reservation.amount_collected, reservation.amount_owed)
    part, whole = (currencies.shown(amount, reservation.currency) for amount in sums)
    return f"{part} of {whole} are paid"


def end(
    reservation: Reservation, *, at: datetime, by: str, because: str, kept: int = 0, operation_id: UUID | None = None
) -> Adjustment:
    """End what a locked reservation owes, but for what is kept.

    In minor units. Returns the row that says so; ``operation_id`` becomes its id.
    """
    owed, reservation.amount_owed = reservation.amount_owed, kept
    return Adjustment(
        id=operation_id or ids.new_id(), kind=AdjustmentKind.END, reservation=reservation, amount=kept - owed, at=at,
        actor=by, reason=because,
    )  # fmt: skip


def owe_again(reservation: Reservation) -> None:
    """Owe again what was sold, less what was given up.

    For a locked reservation that is seated again.
    """
    given_up = reservation.adjustments.exclude(kind__in=sorted(SELLING)).aggregate(total=Sum("amount"))["total"] or 0
    reservation.amount_owed = reservation.amount + given_up


def _close(reservation: Reservation, at: datetime) -> list[Any]:
    """Release what can still take money for a reservation that has nothing to pay, or is over (P7).

    What is being captured, and could not be closed, is left to land: then it is surplus.
    """
    rows: list[Any] = []
    for payment in reservation.payments:
        if not payment.is_final and not _is_wanted(reservation, payment) and not lands(reservation, payment):
            rows += outcome_steps.release(payment, at, reason=_why_closed(reservation))
    return rows


def _is_wanted(reservation: Reservation, payment: Payment) -> bool:
    """Whether an attempt pays for what is open: its own change, or what is left to pay of a reservation itself."""
    if not reservation.is_active:
        return False
    if payment.managed_part is not None:
        return payment.managed_part == reservation.change_id
    return reservation.balance > 0


def lands(reservation: Reservation, payment: Payment) -> bool:
    """Tell whether a live attempt is left to land.

    It could not be closed, or what is being captured is wanted.
    """
    asked = payment.commands.filter(kind=CommandKind.CANCEL, status=CommandStatus.DONE)
    if reservation.is_active or reservation.amount_owed:
        asked |= payment.commands.filter(kind=CommandKind.CAPTURE)
    return payment.status == PaymentStatus.PROCESSING and asked.exists()


def _forgive(reservation: Reservation, at: datetime, by: str) -> list[Adjustment]:
    """Keep no more of a cancelled reservation than there is: a fee is never asked for afterwards."""
    if reservation.status != ReservationStatus.CANCELLED or (missing := reservation.balance) <= 0:
        return []
    if reservation.live_payment is not None:
        return []  # its money may come still
    reservation.amount_owed -= missing
    row = Adjustment(
        reservation=reservation, kind=AdjustmentKind.END, amount=-missing, at=at, actor=by,
        reason="the money that a part was kept of has not come",
    )  # fmt: skip
    return [row]


def _why_closed(reservation: Reservation) -> str:
    return "nothing is left to pay" if reservation.is_active else "a hold for a reservation that is over"


def _show(reservation: Reservation) -> None:
    """Point at the attempt that tells most: the live one, else the last that took money, else the last."""
    if len(reservation.payments) < 2:
        return
    own = [payment for payment in reservation.payments if payment.managed_part is None]
    taken = [payment for payment in reservation.payments if payment.amount_captured]
    reservation.payment = reservation.live_payment or (taken or own or reservation.payments)[-1]


def _turn(reservation: Reservation, at: datetime, by: str, because: str) -> list[Any]:
    """Set the status of an active reservation by its sums; what has all its money back ends, and frees its places."""
    owed, proven, collected = reservation.amount_owed, reservation.amount_proven, reservation.amount_collected
    if not reservation.is_active:
        return []
    if proven == 0 and collected == 0 and _had_money(reservation):
        return _all_is_back(reservation, at, by)
    if proven > 0 and proven >= owed:
        if reservation.status != ReservationStatus.PAID:
            reservation.move(ReservationStatus.PAID, at=at, by=by, because=because)
    elif reservation.status == ReservationStatus.PAID or (reservation.status in HOLDING and (proven or collected)):
        reservation.move(ReservationStatus.CONFIRMED, at=at, by=by, because=part_paid(reservation))
    elif reservation.status == ReservationStatus.AWAITING_PAYMENT and not owed:
        reservation.move(ReservationStatus.CONFIRMED, at=at, by=by, because="nothing is owed")
    return []


def _had_money(reservation: Reservation) -> bool:
    """Whether money was taken; a receipt that was put right was none, and an account holds none."""
    if any(payment.amount_captured for payment in reservation.payments):
        return True
    if reservation.status in HOLDING or reservation.live_payment is not None:
        return False
    taken = reservation.receipts.filter(amount__gt=0, approved_at__isnull=False, corrected_by=None)
    return taken.exclude(method=ReceiptMethod.ACCOUNT).exists()


def _all_is_back(reservation: Reservation, at: datetime, by: str) -> list[Any]:
    """End a reservation whose money is back with the guest, unless what was given back lets the guest keep the places.

    That is what the last refund says; a lower price alone ends nothing.
    """
    if _keeps_places(reservation):
        if reservation.status == ReservationStatus.PAID:
            reservation.move(
                ReservationStatus.CONFIRMED, at=at, by=by, because="refunded in full; the guest keeps the places"
            )
        return []
    why = "refunded in full"
    ended = end(reservation, at=at, by=by, because=why)
    leaving = seats.leave(reservation, at=at, by=by, because=why)
    reservation.move(ReservationStatus.REFUNDED, at=at, by=by, because=why)
    inventory.release(leaving)
    return [ended]


def _keeps_places(reservation: Reservation) -> bool:
    last = reservation.adjustments.filter(kind__in=_LOWERING).order_by("-id").first()
    return last is not None and (last.keeps_places or last.kind != AdjustmentKind.GOODWILL)


def is_being_refunded(reservation: Reservation) -> bool:
    """Tell whether all its money goes back, and its places with it."""
    on_its_way = reservation.amount_refunding
    if not on_its_way or reservation.amount_owed or reservation.amount_proven != on_its_way:
        return False
    return not reservation.amount_collected and not _keeps_places(reservation)


def goodwill(
    reservation: Reservation, refund: Refund, *, surplus: int, at: datetime, by: str, keeps_places: bool = False
) -> list[Adjustment]:
    """Lower what is owed by a refund that is no surplus.

    The reservation is locked; ``surplus`` is what it had before the refund. Returns the row to store, if any.
    """
    amount = max(0, min(refund.amount - max(surplus, 0), reservation.amount_owed))
    if not amount and not keeps_places:
        return []
    reservation.amount_owed -= amount
    row = Adjustment(
        reservation=reservation, kind=AdjustmentKind.GOODWILL, amount=-amount, refund=refund,
        keeps_places=keeps_places, at=at, actor=by, reason=refund.reason,
    )  # fmt: skip
    return [row]


def take_goodwill_back(reservation: Reservation, refund: Refund, *, at: datetime, by: str) -> list[Adjustment]:
    """Owe again what a refund made at the provider had lowered.

    It has failed, and the reservation is locked. Of one that is over nothing is owed again. Returns the row to store,
    if any.
    """
    given = reservation.adjustments.filter(refund=refund, kind=AdjustmentKind.GOODWILL).first()
    if given is None or not reservation.is_active:
        return []
    reservation.amount_owed -= given.amount
    row = Adjustment(
        reservation=reservation, kind=AdjustmentKind.REVERSAL, amount=-given.amount, refund=refund,
        at=at, actor=by, reason="the refund failed",
    )  # fmt: skip
    return [row]
