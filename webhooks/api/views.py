"""The one view that every provider delivers to.

It passes on the raw body and what authenticates it.
"""

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from common import database, exception_handler, fallbacks
from common.errors import BusyError, HoldfastError, MethodNotAllowedError, TooLargeError, UnavailableError
from payments.providers import registry
from payments.providers.notifications import DeliveredRequest
from webhooks import deliveries

MAX_BODY = 1024 * 1024


@csrf_exempt
def deliver(request: HttpRequest, provider: str, account: str = "") -> HttpResponse:
    """Ingest a delivery of a provider; 200 means that we have it.

    Who sends no fresh signature gets no further: not a byte of the body is waited for.
    """
    if provider not in registry.names():
        return fallbacks.unknown(request)
    try:
        if request.method != "POST":
            raise MethodNotAllowedError("Events are delivered by POST.")
        now = timezone.now()
        registry.get(provider).check_headers(headers=request.headers, now=now)
        delivered = DeliveredRequest(body=_read(request), headers=request.headers, query=request.GET.dict())
        deliveries.receive(provider=provider, request=delivered, account=account, now=now)
    except BusyError:
        return exception_handler.answer(UnavailableError("Its payment is being changed at this moment. Send it again."))
    except (HoldfastError, SuspiciousOperation, *database.ERRORS) as error:
        return exception_handler.answer(error)
    return JsonResponse({"received": True})


def _read(request: HttpRequest) -> bytes:
    """Read the raw body, at most one byte more than is allowed; what cannot be read is no signed body."""
    try:
        body = request.read(MAX_BODY + 1)
    except (UnreadablePostError, RawPostDataException, OSError):
        return b""
    if len(body) > MAX_BODY:
        raise TooLargeError("The body is larger than 1 MiB.")
    return body
