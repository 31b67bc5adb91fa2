"""Cancel some units of a reservation, on its terms."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from booking import adjusting, balance, cancelling, locks, seats, unit_prices
from booking.cancelling import GUEST, Quote, Wish
from booking.errors import ChangeInProgressError
from booking.models import Adjustment, Reservation, Unit
from booking.states import HOLDING, AdjustmentKind
from catalogue.pricing import WantedUnit
from common import database, ids
from common.errors import ValidationError
from common.locking import AsOf
from tenants.models import Operator


def cancel(
    *,
    operator: Operator,
    reservation_id: UUID,
    operation_id: UUID,
    actor: str,
    reason: str,
    units: Sequence[WantedUnit],
    wish: Wish = GUEST,
) -> AsOf[Reservation]:
    """Cancel some units, and give their places back.

    Each unit by a row that takes off its price of now, and a fee for what is kept. ``operation_id`` becomes the id of
    the first row: a second run with it changes nothing. All that are left are cancelled with the reservation. Must be
    called outside a transaction. Raises as ``cancelling.cancel``, and:

    Raises:
        ChangeInProgressError: A change of it is open.
        PaymentInProgressError: It is a hold, and an attempt to pay its price lives.
        ValidationError: It has not so many of a unit.
    """
    with database.use_case():
        locked = locks.get_reservation_for_update(pk=reservation_id, operator=operator.pk)
        if locked.row.adjustments.filter(pk=operation_id).exists():
            return locked
        chosen, is_all = _choose(locked.row, units)
        if not is_all:
            _take_off(locked.row, chosen, operation_id, actor, reason, wish, now=locked.at)
            return locked
    return cancelling.cancel(
        operator=operator, reservation_id=reservation_id, operation_id=operation_id, actor=actor, reason=reason,
        wish=wish,
    )  # fmt: skip


def quoted(reservation: Reservation, *, units: Sequence[WantedUnit], at: datetime, wish: Wish = GUEST) -> Quote:
    """Say what it comes to at a time; nothing is stored.

    Raises as :func:`cancel`.
    """
    chosen, is_all = _choose(reservation, units)
    if is_all:
        return cancelling.quoted(reservation, at=at, wish=wish)
    return _quote(reservation, chosen, at, wish)


def _quote(reservation: Reservation, chosen: Sequence[tuple[Unit, int]], at: datetime, wish: Wish) -> Quote:
    cancelling.check_active(reservation, at=at)
    price = sum(amount for _, amount in chosen)
    is_hold = reservation.status in HOLDING
    kept = 0 if is_hold else cancelling.fee(reservation, at=at, wish=wish, amount=price, units=len(chosen))
    if reservation.amount_owed < price - kept or reservation.amount < price:
        raise ValidationError(param="units", code="invalid", message="Cancel the whole reservation.")
    surplus = max(0, price - kept - reservation.balance) - max(0, -reservation.balance)
    return Quote(fee=kept, refund=max(0, surplus), rules=reservation.terms or [])


def _choose(reservation: Reservation, units: Sequence[WantedUnit]) -> tuple[list[tuple[Unit, int]], bool]:
    """Choose units that it still has, the newest first; and say whether these are all."""
    left = unit_prices.current(reservation)[::-1]
    wanted = Counter({line.unit: 0 for line in units})
    for line in units:
        wanted[line.unit] += line.quantity
    has = Counter(unit.unit for unit, _ in left)
    if more := next((unit for unit, number in wanted.items() if number > has[unit]), None):
        message = f"This reservation has {has[more]} of {more}."
        raise ValidationError(param="units", code="invalid_quantity", message=message)
    chosen: list[tuple[Unit, int]] = []
    for unit, amount in left:
        if wanted[unit.unit]:
            wanted[unit.unit] -= 1
            chosen.append((unit, amount))
    return chosen, len(chosen) == len(left)


def _take_off(
    reservation: Reservation,
    chosen: Sequence[tuple[Unit, int]],
    operation_id: UUID,
    actor: str,
    reason: str,
    wish: Wish,
    *,
    now: datetime,
) -> None:
    if reservation.change_id is not None:
        raise ChangeInProgressError
    adjusting.check_price_is_open(reservation)
    found = _quote(reservation, chosen, now, wish)
    cancelling.check_expected(reservation, found, wish)
    rows = [
        Adjustment(
            id=ids.new_id() if number else operation_id, reservation=reservation, kind=AdjustmentKind.UNIT,
            amount=-amount, name=unit.name, unit=unit, at=now, actor=actor, reason=reason,
        )
        for number, (unit, amount) in enumerate(chosen)
    ]  # fmt: skip
    if found.fee:
        rows.append(
            Adjustment(
                reservation=reservation, kind=AdjustmentKind.FEE, amount=found.fee, at=now, actor=actor, reason=reason
            )
        )
    change = sum(row.amount for row in rows)
    reservation.amount += change
    reservation.amount_owed += change
    reservation.places -= len(chosen)
    reservation.changed_at, reservation.changed_by, reservation.changed_because = now, actor, reason
    database.name_actor(actor, reason)
    database.insert_together(*rows)
    freed = seats.Freed(reservation.slot_id, len(chosen))
    balance.settle(reservation, at=now, by=actor, because=reason, leaves=[freed], also=("amount", "places"))
