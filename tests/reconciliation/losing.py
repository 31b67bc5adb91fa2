"""Releases that the provider never hears of."""

from django.db import connection
from django.db.models.functions import Now

from booking.models import Reservation
from tests.support.sandbox_client import Sandbox


def lose_the_release(sandbox: Sandbox) -> None:
    """Cancel a reservation whose release was refused, as a provider may do for a while."""
    made = Reservation.objects.get()
    with connection.cursor() as cursor:
        Reservation.objects.filter(pk=made.pk).update(
            status="cancelled", changed_at=Now(), changed_by="nobody", changed_because="as if by us"
        )
        cursor.execute("UPDATE catalogue_slot SET reserved = 0")
