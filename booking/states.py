"""The transitions of a reservation. The database repeats them as a trigger."""

from collections.abc import Mapping
from types import MappingProxyType

from django.db import models


class ReservationStatus(models.TextChoices):
    """Where a reservation stands."""

    AWAITING_PAYMENT = "awaiting_payment"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"
    REFUNDED = "refunded"


HOLDING = frozenset((ReservationStatus.AWAITING_PAYMENT, ReservationStatus.PENDING))
"""Holds places for a time; past it, it reads as expired even before the sweep has come."""

ACTIVE = HOLDING | {ReservationStatus.CONFIRMED, ReservationStatus.PAID}
"""Holds places."""

OWES_NOTHING_BY_STATUS = frozenset((ReservationStatus.EXPIRED, ReservationStatus.FAILED))
"""Nothing is owed, and no adjustment says so: late money may seat the guest again, for what was sold."""

OWES_NOTHING = OWES_NOTHING_BY_STATUS | {ReservationStatus.REFUNDED}
"""Nothing is owed."""

RESERVATION_TRANSITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        ReservationStatus.AWAITING_PAYMENT: frozenset(
            (
                ReservationStatus.PENDING,
                ReservationStatus.CONFIRMED,  # only with a part of its money: the database asks for that
                ReservationStatus.FAILED,
                ReservationStatus.EXPIRED,
                ReservationStatus.CANCELLED,
                ReservationStatus.PAID,
            )
        ),
        ReservationStatus.PENDING: frozenset(
            (
                ReservationStatus.CONFIRMED,
                ReservationStatus.FAILED,
                ReservationStatus.EXPIRED,
                ReservationStatus.CANCELLED,
                ReservationStatus.PAID,
            )
        ),
        ReservationStatus.CONFIRMED: frozenset(
            (
                ReservationStatus.PAID,
                ReservationStatus.FAILED,
                ReservationStatus.CANCELLED,
                ReservationStatus.REFUNDED,
            )
        ),
        ReservationStatus.EXPIRED: frozenset((ReservationStatus.PAID,)),
        ReservationStatus.CANCELLED: frozenset(),
        ReservationStatus.FAILED: frozenset((ReservationStatus.PAID,)),
        ReservationStatus.PAID: frozenset(
            (ReservationStatus.REFUNDED, ReservationStatus.CONFIRMED, ReservationStatus.CANCELLED)
        ),
        ReservationStatus.REFUNDED: frozenset(),
    }
)


class ChangeStatus(models.TextChoices):
    """Where a change stands."""

    OPEN = "open"
    DONE = "done"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


CHANGE_TRANSITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        status: frozenset(ChangeStatus) - {status} if status is ChangeStatus.OPEN else frozenset()
        for status in ChangeStatus
    }
)
"""An open change ends once."""

CHANGEABLE = frozenset((ReservationStatus.CONFIRMED, ReservationStatus.PAID))
"""May have an open change."""


class OnDecline(models.TextChoices):
    """What a declined card means for a hold."""

    RELEASE = "release"
    KEEP = "keep"


class Plan(models.TextChoices):
    """Whether all is paid at once, or a deposit first."""

    FULL = "full"
    DEPOSIT = "deposit"


class PayBy(models.TextChoices):
    """How a reservation is to be paid."""

    PROVIDER = "provider"
    ON_ARRIVAL = "on_arrival"
    ACCOUNT = "account"


class AdjustmentKind(models.TextChoices):
    """What changes the price, or only what is owed of it."""

    EXTRA = "extra", "extra"
    FEE = "fee", "fee"
    DISCOUNT = "discount", "discount"
    WITHDRAWAL = "withdrawal", "taken back"
    UNIT = "unit", "place given back"
    CHANGE = "change", "change"
    GOODWILL = "goodwill", "goodwill"
    REVERSAL = "reversal", "goodwill taken back"
    END = "end", "end"


SELLING = frozenset(
    (
        AdjustmentKind.EXTRA,
        AdjustmentKind.FEE,
        AdjustmentKind.DISCOUNT,
        AdjustmentKind.WITHDRAWAL,
        AdjustmentKind.UNIT,
        AdjustmentKind.CHANGE,
    )
)
"""Changes what is sold; the others only what is owed of it."""


class ReceiptMethod(models.TextChoices):
    """How money came that no provider took."""

    CASH = "cash"
    TERMINAL = "terminal"
    TRANSFER = "transfer"
    VOUCHER = "voucher"
    ACCOUNT = "account"
