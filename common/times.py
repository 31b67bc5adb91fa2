"""Times as the HTTP contract writes them."""

from datetime import UTC, datetime


def rfc3339(value: datetime | None) -> str | None:
    """Write a time as RFC 3339 in UTC."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
