"""Finding a reservation by what a guest says on the telephone: a reference, a name, a mail address."""

import re
import unicodedata
from functools import reduce
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Func, QuerySet

from booking.models import Reservation

_MOST_WORDS = 8


class Words(Func):
    """The words of a reservation, as the index ``reservation_words`` has them: without accents, in lower case."""

    function = "booking_words"
    output_field = SearchVectorField()


def find(text: str) -> QuerySet[Reservation, dict[str, Any]]:
    """Return the keys (unordered, of every operator: the caller scopes) of the reservations that a text means.

    An id of ours or of the provider means the one that has it; anything else, those in whose reference, name or mail
    address each of its words begins a word.
    """
    rows = Reservation.objects.order_by()
    found: list[Any] = [rows.filter(payment__provider_ref=text).values("pk")]
    try:
        found += [rows.filter(pk=UUID(text)).values("pk"), rows.filter(payment_id=UUID(text)).values("pk")]
    except ValueError:
        if words := _plain(text)[:_MOST_WORDS]:
            query = SearchQuery(" & ".join(f"{word}:*" for word in words), search_type="raw", config="simple")
            spoken = Words("reference", "customer_name", "customer_email")
            found.append(rows.alias(spoken=spoken).filter(spoken=query).values("pk"))
    return reduce(lambda some, more: some.union(more), found)


def _plain(text: str) -> list[str]:
    """Split into words as ``booking_words`` does, so that João is found by joao."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not "\u0300" <= char <= "\u036f")
    return re.findall(r"[^\W_]+", plain.lower())
