"""Identifiers: time-ordered UUIDs for rows, short references for people."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils import compat

REFERENCE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No 0, 1, I or O: a guest reads it out over the telephone."""
REFERENCE_LENGTH = 6


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): unique, and ascending in time so that indexes stay compact."""
    return compat.uuid7()


def made_at(made: UUID) -> datetime:
    """Return when an id was made, to the millisecond: the first 48 bits of a UUIDv7."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=made.int >> 80)


def first_at(at: datetime) -> UUID:
    """Return the least id that can be made at a time (not before 1970) or later: a bound for ranges of ids."""
    return UUID(int=(at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1) << 80)


def new_reference() -> str:
    """Return a random reference such as ``K7QF2M``; the caller's unique constraint decides whether it is free."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))
