"""The network address of a request, by which limits are counted."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings

_NETWORK_BITS = 64
"""Of an IPv6 address, what a provider gives one customer: within it, an address costs nothing."""
_UNKNOWN = "unknown"


def find(meta: Mapping[str, Any]) -> str:
    """Return the address of a request's ``META``; of IPv6, its /64 network.

    ``X-Forwarded-For`` is believed for as many hops as ``TRUSTED_PROXIES`` says, counted from us: what stands further
    left was written by the caller. A request with fewer hops did not come through all of them, and none is believed.
    """
    hops = [hop.strip() for hop in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    forwarded = _plain(hops[-trusted]) if 0 < trusted <= len(hops) else ""
    return forwarded or _plain(str(meta.get("REMOTE_ADDR") or "")) or _UNKNOWN


def _plain(text: str) -> str:
    """Write an address in its one form, without a port or brackets; empty if it is none."""
    host = text.partition("]")[0].lstrip("[") if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        network = int(address) >> (128 - _NETWORK_BITS) << (128 - _NETWORK_BITS)
        return f"{IPv6Address(network)}/{_NETWORK_BITS}"
    return str(address)
