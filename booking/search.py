"""Search for a reservation by reference, name or mail address."""

import re
import unicodedata
from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Q

from booking.models import MANAGES, Reservation
from payments.models import Payment

MOST = 1_000
"""Reservations that a search finds: the newest ones."""
_MOST_WORDS = 8
_LONGEST_WORD = 100
"""Characters of a word; a longer one is found by its beginning, since PostgreSQL takes no word of 2,046 bytes."""

# Materialized, so that the planner reads the index of the words, however common it believes them.
_BY_WORDS = """
WITH found AS MATERIALIZED (
    SELECT id, operator_id FROM booking_reservation
    WHERE booking_words(reference, customer_name, customer_email) @@ to_tsquery('simple', %(words)s)
)
SELECT id FROM found WHERE %(operators)s::uuid[] IS NULL OR operator_id = ANY(%(operators)s)
ORDER BY id DESC LIMIT %(most)s
"""


def find(text: str, *, operators: Sequence[UUID] | None) -> list[UUID]:
    """Return the ids of matching reservations, at most ``MOST``.

    At these operators; None: at all.

    An id of ours or of the provider means the one that has it; anything else, those in whose reference, name or mail
    address each of its words begins a word.
    """
    rows = Reservation.objects.all() if operators is None else Reservation.objects.filter(operator__in=operators)
    try:
        named = Q(pk=UUID(text)) | _by_payment(pk=UUID(text))
    except ValueError:
        named = _by_payment(provider_ref=text)
    found = list(rows.order_by("pk").filter(named).values_list("pk", flat=True))
    words = _plain(text)[:_MOST_WORDS]
    if found or not words:
        return found
    query = " & ".join(f"{word[:_LONGEST_WORD]}:*" for word in words)
    with connection.cursor() as cursor:
        given = {"words": query, "operators": None if operators is None else list(operators), "most": MOST}
        cursor.execute(_BY_WORDS, given)
        return [key for (key,) in cursor.fetchall()]


def _by_payment(**where: object) -> Q:
    return Q(pk__in=Payment.objects.filter(managed_by=MANAGES, **where).values("managed_id"))


def _plain(text: str) -> list[str]:
    """Split into words as ``booking_words`` does, so that João is found by joao."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not "\u0300" <= char <= "\u036f")
    return re.findall(r"[^\W_]+", plain.lower())
