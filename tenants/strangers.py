"""Requests without a valid key or token, limited by address."""

import hashlib
import time
from typing import TypeVar

from django.conf import settings
from rest_framework import exceptions
from rest_framework.request import Request

from common import client_address
from tenants import rate_limits
from tenants.rate_limits import Rate

K = TypeVar("K")
V = TypeVar("V")

_MOST = 10_000
"""Addresses, and credentials, that a process remembers."""
_GOOD_SECONDS = 3_600

_used_up: dict[str, None] = {}
"""Addresses that this process saw use up their count. Whether that still holds is asked where it is counted."""
_good: dict[bytes, float] = {}
"""Hashes of credentials that were valid here, and when: their owners do not pay for a stranger at their address."""


def refuse_at_once(request: Request, credential: bytes) -> None:
    """Refuse a request from an address over its limit, before any look-up.

    Raises:
        Throttled: It has, and the credential is none that was valid here within the hour.
    """
    address = client_address.find(request.META)
    if address not in _used_up or time.monotonic() - _good.get(_hash(credential), float("-inf")) < _GOOD_SECONDS:
        return
    wait = rate_limits.find_wait(_who(address), rate=Rate.of(settings.API_RATE))
    if wait is None:
        _used_up.pop(address, None)
    else:
        raise exceptions.Throttled(wait)


def count(request: Request) -> None:
    """Count a request without a valid credential against its address.

    So keys cannot be guessed at leisure.

    Raises:
        Throttled: There have been too many.
    """
    address, allowed = client_address.find(request.META), Rate.of(settings.API_RATE)
    number, left = rate_limits.tell(_who(address), rate=allowed)
    if number >= allowed.requests:
        _keep(_used_up, address, None)
    if number > allowed.requests:
        raise exceptions.Throttled(max(left, 1.0))


def know(credential: bytes) -> None:
    """Remember that a credential was valid. Only its hash is kept."""
    _keep(_good, _hash(credential), time.monotonic())


def _keep(known: dict[K, V], key: K, value: V) -> None:
    if len(known) >= _MOST:
        known.clear()
    known[key] = value


def _who(address: str) -> str:
    return f"address:{address}"


def _hash(credential: bytes) -> bytes:
    return hashlib.sha256(credential).digest()
