"""The endpoints that providers call: the raw body and its signature."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from common import request_id
from payments.providers.base import DeliveredRequest, InvalidSignatureError
from webhooks import inbox

MAX_BODY = 1024 * 1024


@csrf_exempt
@require_POST
def stripe(request: HttpRequest, account: str = "") -> JsonResponse:
    """Take in a delivery of Stripe's; 200 means that it is ours to worry about now."""
    body = _read(request)
    if body is None:
        return _refuse(413, "too_large", "The body is larger than 1 MiB.")
    delivered = DeliveredRequest(body=body, headers=request.headers, query=request.GET.dict())
    try:
        inbox.receive(
            provider="stripe",
            request=delivered,
            secrets=settings.STRIPE_WEBHOOK_SECRETS,
            account=account,
            now=timezone.now(),
        )
    except InvalidSignatureError as error:
        return _refuse(400, "invalid_signature", str(error))
    return JsonResponse({"received": True})


def _read(request: HttpRequest) -> bytes | None:
    """Read the raw body, at most one byte more than is allowed."""
    try:
        body = request.read(MAX_BODY + 1)
    except (UnreadablePostError, RawPostDataException, OSError):
        return b""
    return None if len(body) > MAX_BODY else body


def _refuse(status: int, code: str, message: str) -> JsonResponse:
    error = {
        "type": "invalid_request_error",
        "code": code,
        "message": message,
        "param": None,
        "request_id": request_id.current.get(),
    }
    return JsonResponse({"error": error}, status=status)
