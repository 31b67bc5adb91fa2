"""The managers of payments, asked whether they still need one.

They are rooms above this one, which ``config`` names.
"""

from functools import cache
from typing import Protocol, cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from payments.models import Payment


class Needs(Protocol):
    """The function of a manager; ``PAYMENT_MANAGERS`` names one for each ``managed_by``."""

    def __call__(self, *, payment_id: UUID) -> bool:
        """Tell whether money may still be taken for it. Takes no lock."""


def needs(payment: Payment) -> bool:
    """Tell whether a payment's manager still needs it; True without one."""
    return not payment.managed_by or _asked_of(payment.managed_by)(payment_id=payment.pk)


@cache
def _asked_of(manager: str) -> Needs:
    return cast("Needs", import_string(settings.PAYMENT_MANAGERS[manager]))
