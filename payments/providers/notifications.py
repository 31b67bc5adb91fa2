"""Deliveries of a provider, and what is read of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payments.providers.errors import UnreadableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An unreadable object of a list, or its unreadable rest.

    ``ref`` is the provider's id of the object; empty if that cannot be told.
    """

    error: UnreadableError
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """An authenticated notification.

    ``problem`` says why it cannot be read; then the rest is what could be.

    ``lookup_ref`` names the object to ask the provider for when the notification does not carry it: it is then a
    notice, and only what is looked up is an event.
    """

    event_id: str
    type: str
    account: str
    live: bool | None
    created_at: datetime | None
    api_version: str
    payload: Mapping[str, Any]
    object_ref: str = ""
    lookup_ref: str = ""
    key_name: str = ""
    """The name of the key that it was read with, if it was read from the provider's API rather than delivered."""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredRequest:
    """An HTTP request to a webhook, as it came over the wire."""

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
