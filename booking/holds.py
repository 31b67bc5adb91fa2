"""How long a hold lasts, within the ceiling and the provider's hold."""

from datetime import datetime, timedelta

from django.conf import settings

from booking.models import Reservation
from booking.states import HOLDING
from tenants.models import Operator

_MARGIN = timedelta(hours=1)
"""A hold ends so long before the provider lets the money go by itself."""
_NONE = timedelta(0)


def first_end(*, operator: Operator, now: datetime) -> datetime:
    """Return when a new hold ends, at most at the ceiling."""
    seconds = operator.hold_ttl_seconds or settings.HOLD_TTL_SECONDS
    return now + timedelta(seconds=min(seconds, settings.HOLD_CEILING_SECONDS))


def latest_end(reservation: Reservation) -> datetime:
    """Return the latest end that a hold may be given."""
    ceiling = reservation.created_at + timedelta(seconds=settings.HOLD_CEILING_SECONDS)
    before = reservation.payment.capture_before if reservation.payment is not None else None
    return min(ceiling, before - _MARGIN) if before else ceiling


def shorten(reservation: Reservation, *, at: datetime) -> None:
    """End a hold earlier, in memory, if the provider's hold ends first.

    Of money that is held for less than the margin, half of the time is used.
    """
    before = reservation.payment.capture_before if reservation.payment is not None else None
    if before is None or reservation.status not in HOLDING or reservation.expires_at is None:
        return
    latest = latest_end(reservation)
    reservation.expires_at = min(reservation.expires_at, latest if latest > at else at + max(before - at, _NONE) / 2)
