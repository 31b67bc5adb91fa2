"""The rate limit of the API, as DRF asks for it."""

from typing import TYPE_CHECKING, Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from tenants import rate_limits
from tenants.callers import Caller

if TYPE_CHECKING:  # DRF's views import this module
    from rest_framework.views import APIView


class ApiThrottle(BaseThrottle):
    """Limit each API client to ``API_RATE``.

    Addresses without one are limited where they are refused.
    """

    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request, and say whether it is within the limit."""
        caller: Any = request.user
        if isinstance(caller, Caller):
            self._wait = rate_limits.count(f"client:{caller.pk}")
        return self._wait is None

    def wait(self) -> float | None:
        """Return the seconds until the window ends."""
        return self._wait
