"""Times as the HTTP contract writes them."""

from datetime import UTC, datetime

FIRST_YEAR, LAST_YEAR = 1970, 9998
"""Of times that are taken in: a day more or less does not overflow, and an id can be as old (:mod:`common.ids`)."""


def rfc3339(value: datetime | None) -> str | None:
    """Write a time as RFC 3339 in UTC."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def comes_twice(local: datetime) -> bool:
    """Tell whether a local time comes twice, since the clocks go back."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
