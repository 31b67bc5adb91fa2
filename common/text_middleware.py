"""Checks text beside the JSON body: path, query, forms and cookies.

Before anything reads them.
"""

import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

from common import exception_handler, text_intake
from common.errors import HoldfastError, NotFoundError, ValidationError

_API, _WEBHOOKS, _HEALTH = "/api/", "/webhooks/", "/health"
_CHARSET = re.compile(r";\s*charset\*?\s*=\s*(\"[^\"]*\"?|[^;]*)", re.IGNORECASE)
_FORM = "application/x-www-form-urlencoded"


class TextIntakeMiddleware:
    """Refuses unusable text: 422 to programs, a page with 400 to people.

    All text is UTF-8, even if a request names another charset. Of a provider's delivery only the address is
    checked, since its signature decides about the rest; of a health check nothing is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.encoding = "utf-8"
        if request.path_info.startswith(_HEALTH):
            return self.get_response(request)
        is_for_programs = request.path_info.startswith((_API, _WEBHOOKS))
        try:
            _check(request)
        except HoldfastError as refusal:
            if is_for_programs:
                return exception_handler.answer(refusal)
            where = f"{refusal.param}: " if refusal.param else ""
            raise BadRequest(f"{where}{refusal.message}") from refusal
        return self.get_response(request)


def without_charset(application: WSGIApplication) -> WSGIApplication:
    """Wrap a WSGI application so that it ignores the request's charset.

    Django decodes the query by it while the request is made, where ``charset=hex`` is a fault that nothing catches.
    """

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "charset" in environ.get("CONTENT_TYPE", "").lower():
            environ["CONTENT_TYPE"] = _CHARSET.sub("", environ["CONTENT_TYPE"])
        return application(environ, start_response)

    return call


def _check(request: HttpRequest) -> None:
    if text_intake.fault_of(request.path_info) is not None:
        raise NotFoundError(kind="address") if request.path_info.startswith(_API) else _NoTextError("address")
    if request.path_info.startswith(_WEBHOOKS):
        return
    _check_query(request)
    if not request.path_info.startswith(_API):
        _check_form(request)
        for name, value in request.COOKIES.items():
            text_intake.check(name, param="cookie")
            text_intake.check(value, param=name)


def _check_query(request: HttpRequest) -> None:
    raw = str(request.META.get("QUERY_STRING", "")).encode("latin-1", "replace")
    if not raw:
        return
    _check_utf8(raw, "query")
    _check_values(request.GET, longest=text_intake.LONGEST_QUERY_VALUE)
    if request.path_info.startswith(_API):
        for name, values in request.GET.lists():
            if len(values) > 1:
                raise ValidationError(param=name, code="repeated", message="Give this parameter only once.")


def _check_form(request: HttpRequest) -> None:
    if request.method != "POST":
        return
    if request.content_type == _FORM:
        _check_utf8(request.body, "form")
    _check_values(request.POST, longest=text_intake.LONGEST_FORM_VALUE)


def _check_values(given: QueryDict, *, longest: int) -> None:
    found: Iterable[tuple[str, list[str]]] = given.lists()
    for name, values in found:
        text_intake.check(name, param=name, longest=text_intake.LONGEST_QUERY_VALUE)
        for value in values:
            text_intake.check(value, param=name, longest=longest)


def _check_utf8(raw: bytes, what: str) -> None:
    try:
        unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _NoTextError(what) from error


class _NoTextError(HoldfastError):
    """What should be text is none."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The {what} of this request is not text in UTF-8, or has a null character.")
