"""Addresses on the network, as far as their text tells."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_near(url: str) -> bool:
    """Tell whether a URL's host is this machine or its private network.

    By a bare name too (a container's).
    """
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))
