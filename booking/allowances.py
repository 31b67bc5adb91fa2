"""Limits on what a caller may hold unpaid at one time.

Places that are held are sold to nobody else meanwhile.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Sum
from django.db.models.functions import Now

from booking import locks
from booking.errors import TooManyHoldsError, TooManyPlacesError
from booking.models import Change, Reservation
from booking.states import HOLDING, ChangeStatus
from tenants.models import ApiClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A limit on holds, and on places in all of them.

    ``is_exact``: however many are asked for at once.
    """

    holds: int
    places: int
    is_exact: bool

    def check(self, *, holds: int, places: int) -> None:
        """Refuse more than the limit.

        ``holds`` and ``places`` include the one that is asked for.

        Raises:
            TooManyHoldsError, TooManyPlacesError: It is more.
        """
        if holds > self.holds:
            raise TooManyHoldsError(limit=self.holds)
        if places > self.places:
            raise TooManyPlacesError(limit=self.places)

    def lock(self, *, client: ApiClient) -> None:
        """Lock the client if the limit is exact.

        First in the transaction that takes the places.
        """
        if self.is_exact:
            locks.lock_client(client_id=client.pk)

    def check_one_more(self, *, client: ApiClient, places: int) -> None:
        """Count what the client holds, and refuse too much.

        Raises:
            TooManyHoldsError, TooManyPlacesError: It is more.
        """
        live = Reservation.objects.filter(api_client=client, status__in=sorted(HOLDING), expires_at__gt=Now())
        asked = Change.objects.filter(api_client=client, status=ChangeStatus.OPEN, expires_at__gt=Now())
        counts = {"holds": Count("pk"), "places": Sum("places", default=0)}
        held, more = live.aggregate(**counts), asked.aggregate(**counts)
        self.check(holds=held["holds"] + more["holds"] + 1, places=held["places"] + more["places"] + places)

    def check_exactly(self, *, client: ApiClient, places: int) -> None:
        """Check again with the client locked, if the limit is exact.

        First in the transaction that takes the places.

        Raises:
            TooManyHoldsError, TooManyPlacesError: It is more.
        """
        if self.is_exact:
            self.lock(client=client)
            self.check_one_more(client=client, places=places)


def of_program() -> Allowance:
    """Return what a frontend may hold for all of its guests."""
    return Allowance(
        holds=settings.MAX_LIVE_HOLDS_PER_CLIENT, places=settings.MAX_LIVE_PLACES_PER_CLIENT, is_exact=False
    )


def of_customer() -> Allowance:
    """Return what a person may hold who has signed up by themselves."""
    return Allowance(
        holds=settings.MAX_LIVE_HOLDS_PER_CUSTOMER, places=settings.MAX_LIVE_PLACES_PER_CUSTOMER, is_exact=True
    )
