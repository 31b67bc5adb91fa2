"""One log line for each API request, without secrets.

What was asked, by whom, the answer, and how long it took.
"""

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

logger = logging.getLogger("holdfast.requests")

_PREFIXES = ("/api/", "/webhooks/")

caller: ContextVar[dict[str, str]] = ContextVar("caller")
"""Who is calling, as the authentication found out: client and operator, by name."""


class RequestLogMiddleware:
    """Logs requests of programs.

    People's, in the backoffice, are in its own history.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(_PREFIXES):
            return self.get_response(request)
        token = caller.set({})
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            took = round((time.perf_counter() - began) * 1000, 1)
            # Without the query, which may carry what a caller searches for.
            line: dict[str, object] = {
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "ms": took,
            }
            logger.info("A request is answered.", extra={**line, **caller.get()})
        finally:
            caller.reset(token)
        return response
