"""The managers of payments: rooms above this one that drive them.

They do so by rows of their own; ``config`` names them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol, cast
from uuid import UUID

from django.conf import settings
from django.db.models import Model

from common.errors import NotFoundError, ValidationError
from payments import locks
from payments.models import Payment, Refund


class LockedPayment(Protocol):
    """A locked payment, and before it the row that drives it."""

    @property
    def payment(self) -> Payment:
        """The payment."""

    @property
    def at(self) -> datetime:
        """When it was locked, by the database's clock."""

    def give_back(self, refund: Refund, *, keeps_places: bool) -> None:
        """Store what a new refund means for the row.

        The payment has reserved its money; the caller stores both.
        """


class Manager(Protocol):
    """The module of a manager; ``PAYMENT_MANAGERS`` names one for each ``managed_by``."""

    def needs(self, *, managed_id: UUID, managed_part: UUID | None) -> bool:
        """Tell whether money may be taken for a row, or its part.

        Takes no lock.
        """

    def find(self, *, managed_id: UUID) -> Model | None:
        """Read its row, for a page that leads to it."""

    def find_for_update(self, *, payment_id: UUID, operator_id: UUID) -> LockedPayment | None:
        """Lock its row, then the payment; None if it drives it not."""


@dataclass(frozen=True, slots=True)
class _Single:
    """A payment that nothing drives."""

    payment: Payment
    at: datetime

    def give_back(self, refund: Refund, *, keeps_places: bool) -> None:
        """Refuse to keep places that there are not."""
        if keeps_places:
            raise ValidationError(
                param="keep_places", code="no_reservation", message=f"Refund {refund.pk} is of no reservation."
            )


def needs(payment: Payment) -> bool:
    """Tell whether a payment's manager still needs it; True without one."""
    if payment.managed_id is None:
        return True
    return _manager(payment.managed_by).needs(managed_id=payment.managed_id, managed_part=payment.managed_part)


def find_driver(payment: Payment) -> Model | None:
    """Read the row that drives a payment, if any does."""
    return None if payment.managed_id is None else _manager(payment.managed_by).find(managed_id=payment.managed_id)


def get_for_update(*, payment_id: UUID, operator_id: UUID) -> LockedPayment:
    """Lock an operator's payment, and before it what drives it.

    Raises:
        NotFoundError: The operator has no such payment.
    """
    for manager in _managers():
        found = manager.find_for_update(payment_id=payment_id, operator_id=operator_id)
        if found is not None:
            return found
    single = locks.find_payment_for_update(pk=payment_id, operator=operator_id, managed_by="")
    if single is None:
        raise NotFoundError(kind="payment")
    return _Single(single.row, single.at)


def _managers() -> Iterator[Manager]:
    return map(_manager, settings.PAYMENT_MANAGERS)


def _manager(name: str) -> Manager:
    return cast("Manager", import_module(settings.PAYMENT_MANAGERS[name]))
