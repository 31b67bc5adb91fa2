"""What is answered where no view is: in the API's language to its callers, in Django's own to people in a browser."""

from http import HTTPStatus

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from common import exception_handler
from common.errors import InternalError, NotFoundError

_MACHINES = ("/api/", "/webhooks/", "/health")


@csrf_exempt
def unknown(request: HttpRequest, path: str = "") -> HttpResponse:
    """Answer for an address below one of the API's that leads nowhere."""
    return exception_handler.answer(NotFoundError(kind="address"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refused; the ``handler400``."""
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
    """Answer when something of ours failed; the ``handler500``. Django has written the cause to the log."""
    if request.path.startswith(_MACHINES):
        return exception_handler.answer(InternalError())
    return defaults.server_error(request)
