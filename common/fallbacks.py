"""Answers outside views: JSON for the API, pages for browsers."""

import sys
from collections.abc import Callable
from http import HTTPStatus

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from common import database, exception_handler
from common.errors import InternalError, NotFoundError, UnavailableError

_MACHINES = ("/api/", "/webhooks/", "/health")
_AWAY = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Holdfast is not available</title>
<h1>The database cannot be used at this moment</h1>
<p>Nothing was changed. Wait a few seconds, then load this page again.</p></html>"""


@csrf_exempt
def unknown(request: HttpRequest, path: str = "") -> HttpResponse:
    """Answer for an address below one of the API's that leads nowhere."""
    return exception_handler.answer(NotFoundError(kind="address"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refused; the ``handler400``."""
    # Django takes a session that could not be saved for one that was deleted meanwhile.
    if isinstance(exception, SessionInterrupted) and (cause := _cause(exception)):
        return unavailable(request, cause)
    if request.path.startswith(_MACHINES):
        return exception_handler.answer(SuspiciousOperation())
    if isinstance(exception, BadRequest):
        return render(request, "refused.html", {"why": str(exception)}, status=HTTPStatus.BAD_REQUEST)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that leads nowhere; the ``handler404``."""
    if request.path.startswith(_MACHINES):
        return unknown(request)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after a fault of ours; the ``handler500``.

    Django has written the cause to the log.
    """
    error = sys.exc_info()[1]
    if error is not None and database.is_away(error):  # in a middleware, such as a session that is saved
        return unavailable(request, error)
    if request.path.startswith(_MACHINES):
        return exception_handler.answer(InternalError())
    return defaults.server_error(request)


def _cause(error: BaseException) -> BaseException | None:
    """Find the database's absence among the errors that led to another."""
    seen: BaseException | None = error
    while seen is not None and not database.is_away(seen):
        seen = seen.__context__
    return seen


def unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """Answer while the database is away: a page or JSON, never 500."""
    if request.path.startswith(_MACHINES) and isinstance(error, Exception):
        return exception_handler.answer(error)
    return HttpResponse(
        _AWAY, status=UnavailableError.http_status, headers={"Retry-After": str(UnavailableError.retry_after)}
    )


class UnavailableMiddleware:
    """Answers when a view fails because the database is away.

    DRF's views answer themselves.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for the database's absence; None leaves any other fault to Django."""
        return unavailable(request, exception) if database.is_away(exception) else None
