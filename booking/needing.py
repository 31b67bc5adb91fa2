"""Whether a reservation still needs its payment; ``payments`` asks before it sends what takes money."""

from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from booking.models import Reservation
from booking.states import ACTIVE, HOLDING


def needs_payment(*, payment_id: UUID) -> bool:
    """Tell whether a reservation holds its places, and not past its time. Takes no lock."""
    over = Q(status__in=sorted(HOLDING), expires_at__lte=Now())
    return Reservation.objects.filter(payment=payment_id, status__in=sorted(ACTIVE)).exclude(over).exists()
