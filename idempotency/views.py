"""The decorator that gives a view its Idempotency-Key."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from idempotency import keys
from tenants.authentication import caller_of

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_NOT_STORED = frozenset(
    (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)
)

Method = Callable[..., Response]


def idempotent(method: Method) -> Callable[..., HttpResponse]:
    """Run a view's method once for each key; it gets the ``operation``, whose id it gives to what it makes.

    A method that is called again with the same operation must go on from what it finds: the first run may have
    died at any point. Its answer is rendered here, so that a replay is the same byte for byte.
    """

    @wraps(method)
    def run(view: APIView, request: Request, **kwargs: Any) -> HttpResponse:
        claimed = keys.claim(
            client=caller_of(request).client,
            key=keys.parse(request.headers.get(HEADER)),
            method=str(request.method),
            path=request.get_full_path(),
            body=request._request.body,
        )
        if isinstance(claimed, keys.Answer):
            replay = _respond(claimed.status_code, claimed.body)
            replay[REPLAYED] = "true"
            return replay
        response = _run(method, view, request, claimed.operation, kwargs)
        body = JSONRenderer().render(response.data)
        _keep(claimed, response.status_code, body)
        answer = _respond(response.status_code, body)
        for header, value in response.items():
            if header != "Content-Type":  # not DRF's yet: the response is rendered here
                answer[header] = value
        return answer

    return run


def _run(
    method: Method, view: APIView, request: Request, operation: keys.Operation, kwargs: dict[str, Any]
) -> Response:
    try:
        return method(view, request, operation=operation, **kwargs)
    except Exception as error:  # noqa: BLE001  # every outcome, a refusal too, is the answer to the key
        return view.handle_exception(error)


def _keep(claim: keys.Claim, status_code: int, body: bytes) -> None:
    if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        keys.end_lease(claim=claim)
    elif status_code in _NOT_STORED:
        keys.release(claim=claim)
    else:
        keys.answer(claim=claim, status_code=status_code, body=body)


def _respond(status_code: int, body: bytes) -> HttpResponse:
    return HttpResponse(body, status=status_code, content_type="application/json")
