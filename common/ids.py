"""Identifiers: time-ordered UUIDs for rows, short references for people."""

import secrets
from uuid import UUID

from uuid_utils import compat

REFERENCE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No 0, 1, I or O: a guest reads it out over the telephone."""
REFERENCE_LENGTH = 6


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): unique, and ascending in time so that indexes stay compact."""
    return compat.uuid7()


def new_reference() -> str:
    """Return a random reference such as ``K7QF2M``; the caller's unique constraint decides whether it is free."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))
