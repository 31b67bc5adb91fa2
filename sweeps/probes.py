"""Answers probes and Prometheus first.

Before the Host is checked, and before what can hang.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from common import database, fallbacks, health
from sweeps import metrics
from sweeps.health import ready, status

PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/health": health.live,
    "/health/ready": ready,
    "/health/status": status,
    "/metrics": metrics.show,
}
_READING = frozenset(("GET", "HEAD"))


class ProbesMiddleware:
    """Answers probes before all but the request's id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe, and let everything else pass."""
        probe = PROBES.get(request.path_info) if request.method in _READING else None
        if probe is None:
            return self._get_response(request)
        try:
            return probe(request)
        except database.ERRORS as error:
            if not database.is_away(error):
                raise
            return fallbacks.unavailable(request, error)
