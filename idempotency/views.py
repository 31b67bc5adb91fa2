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

from idempotency import ending, keys
from tenants.authentication import caller_of

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_NOT_STORED = frozenset(
    (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)
)

Method = Callable[..., Response]


def idempotent(method: Method) -> Callable[..., HttpResponse]:
    """Run a view's method once for each key.

    It gets the ``operation``, whose id it gives to what it makes.

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
            return _replay(claimed)
        is_noted = False
        try:
            response = _run(method, view, request, claimed.operation, kwargs)
            body = JSONRenderer().render(response.data)
            other = _keep(claimed, response.status_code, body)
            is_noted = True
        finally:
            if not is_noted:  # also at the end of the process: the retry must not wait for a run that is over
                ending.end(claimed)
        if other is not None:
            return _replay(other)
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


def _keep(claim: keys.Claim, status_code: int, body: bytes) -> keys.Answer | None:
    """Note what a run came to; returns the answer of the run that took over from it, if one has answered.

    Raises:
        KeyInUseError: Another took over and is still running; what it will answer is the answer.
    """
    if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return None if ending.end(claim) else keys.answer_of_other(claim=claim)
    if status_code in _NOT_STORED:
        is_kept = (keys.end_lease if claim.operation.resumed else keys.release)(claim=claim)
    else:
        is_kept = keys.answer(claim=claim, status_code=status_code, body=body)
    return None if is_kept else keys.answer_of_other(claim=claim)


def _replay(answer: keys.Answer) -> HttpResponse:
    replay = _respond(answer.status_code, answer.body)
    replay[REPLAYED] = "true"
    return replay


def _respond(status_code: int, body: bytes) -> HttpResponse:
    return HttpResponse(body, status=status_code, content_type="application/json")
