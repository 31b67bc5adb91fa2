"""Identifiers: time-ordered UUIDs for rows, short references for people."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils import compat

REFERENCE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No 0, 1, I or O: a guest reads it out over the telephone."""
REFERENCE_LENGTH = 6


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562).

    Unique, and ascending in time so that indexes stay compact.
    """
    return compat.uuid7()


def made_at(made: UUID) -> datetime:
    """Return when an id was made, in milliseconds (UUIDv7's first 48 bits)."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=made.int >> 80)


def first_at(at: datetime) -> UUID:
    """Return the least id of a time, to bound id ranges.

    Not before 1970.
    """
    return UUID(int=(at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1) << 80)


def new_reference() -> str:
    """Return a random reference such as ``K7QF2M``.

    The caller's unique constraint decides whether it is free.
    """
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))
