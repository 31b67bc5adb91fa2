"""Whether all is evened out: ``even_out`` run again on every reservation stores nothing and changes nothing (P13)."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from booking import balance, locks
from booking.models import CHANGED_FIELDS, Reservation
from payments import refund_steps


def is_reached() -> None:
    """Fail with every reservation that would be changed."""
    assert not list(would_change())


def would_change() -> Iterator[str]:
    """Tell of every reservation that would be changed; nothing is."""
    for pk in Reservation.objects.order_by("id").values_list("pk", flat=True):
        with transaction.atomic():
            found = locks.find_reservation_for_update(pk=pk)
            assert found is not None
            before = _figures(found.row)
            rows = balance.even_out(found.row, at=found.at, by="test", because="again")
            if rows or _figures(found.row) != before:
                yield f"{found.row}: {before} becomes {_figures(found.row)}, and {rows}"
            transaction.set_rollback(True)


def _figures(row: Reservation) -> list[Any]:
    ours = [getattr(row, name) for name in CHANGED_FIELDS]
    return ours + [getattr(payment, name) for payment in row.payments for name in refund_steps.CHANGED_FIELDS]
