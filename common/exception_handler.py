"""Turns every exception of the API into the one error envelope."""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from common import database, errors, request_id
from common.database import CONTENTION
from common.errors import BusyError, HoldfastError, InternalError, NotFoundError, TooLargeError, UnavailableError

logger = logging.getLogger("holdfast.api")


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """Answer an exception that a view raised; DRF's ``EXCEPTION_HANDLER``."""
    known = translate(error) or _unhandled(error)
    response = Response(envelope(known), status=known.http_status)
    if known.retry_after is not None:
        response["Retry-After"] = str(known.retry_after)
    if isinstance(error, drf.APIException) and getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]  # set by DRF's views
    return response


def answer(error: Exception) -> JsonResponse:
    """Answer an exception outside DRF's views, in the same words."""
    known = translate(error) or _unhandled(error)
    headers = {} if known.retry_after is None else {"Retry-After": str(known.retry_after)}
    return JsonResponse(envelope(known), status=known.http_status, headers=headers)


def envelope(error: HoldfastError) -> dict[str, Any]:
    """Build the body of an answer that refuses."""
    return {
        "error": {
            "type": error.type,
            "code": error.code,
            "message": error.message,
            "param": error.param,
            "request_id": request_id.current.get(),
        }
    }


def _unhandled(error: Exception) -> HoldfastError:
    logger.error("Unhandled error in a view.", exc_info=error)
    return InternalError()


def translate(error: Exception) -> HoldfastError | None:
    """Translate an exception into our error language; None: a fault of ours."""
    if isinstance(error, HoldfastError):
        return error
    if isinstance(error, Http404):
        return NotFoundError(kind="object")
    if isinstance(error, PermissionDenied):
        return _Known(drf.PermissionDenied())
    if isinstance(error, database.ERRORS):
        return _database_error(error)
    if isinstance(error, RequestDataTooBig):
        return TooLargeError("The body of this request is too large.")
    if isinstance(error, SuspiciousOperation):
        return HoldfastError("This request is malformed.")
    if isinstance(error, drf.ValidationError):
        return _validation_error(error)
    if isinstance(error, drf.APIException):
        return _Known(error)
    return None


_TYPES = {
    HTTPStatus.UNAUTHORIZED: ("auth_error", "invalid_token"),
    HTTPStatus.FORBIDDEN: ("auth_error", "insufficient_scope"),
    HTTPStatus.TOO_MANY_REQUESTS: ("rate_limit_error", "rate_limited"),
}


class _Known(HoldfastError):
    """An exception of DRF's in our terms."""

    def __init__(self, error: drf.APIException) -> None:
        super().__init__(str(error.detail))
        self.http_status = HTTPStatus(error.status_code)  # type: ignore[misc]  # a class constant elsewhere
        codes = error.get_codes()
        own = codes if isinstance(codes, str) else "invalid_request"
        self.type, self.code = _TYPES.get(self.http_status, ("invalid_request_error", own))  # type: ignore[misc]
        if isinstance(error, drf.ParseError):
            self.code = "malformed_json"
        if isinstance(error, drf.Throttled):
            self.retry_after = int(getattr(error, "wait", None) or 1)


def _validation_error(error: drf.ValidationError) -> HoldfastError:
    param, detail = _first(error.detail, path=())
    code = getattr(detail, "code", "invalid")
    known = HoldfastError(str(detail), param=param)
    known.type = "validation_error"  # type: ignore[misc]
    known.code = {"null": "required", "blank": "required"}.get(code, code)
    known.http_status = HTTPStatus.UNPROCESSABLE_ENTITY  # type: ignore[misc]
    return known


def _first(detail: Any, *, path: tuple[str, ...]) -> tuple[str | None, Any]:
    """Find the first fault in DRF's nested detail and the dotted path of its field."""
    if isinstance(detail, dict) and detail:
        key, inner = next(iter(detail.items()))
        return _first(inner, path=path if key == "non_field_errors" else (*path, str(key)))
    if isinstance(detail, list) and detail:
        for number, inner in enumerate(detail):
            if isinstance(inner, dict | list):
                if inner:
                    return _first(inner, path=(*path, str(number)))
            else:
                return ".".join(path) or None, inner
    return ".".join(path) or None, detail


def _database_error(error: Exception) -> HoldfastError | None:
    if isinstance(error, OperationalError) and isinstance(error.__cause__, CONTENTION):
        return BusyError()
    if not database.is_away(error):
        return None
    logger.warning("The database is away; the request is refused.", extra={"error": errors.describe(error)})
    return UnavailableError("The database cannot be used at this moment; nothing was changed. Try again.")
