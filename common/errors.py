"""The error language: one class for each reason.

Each has its type, code and HTTP status.

Apps subclass :class:`HoldfastError` in their own ``errors.py``. Constructors take values, not prose;
``common.exception_handler`` turns an instance into the envelope of the HTTP contract. :func:`describe` turns any
exception into a text that may be stored and shown.
"""

import re
import traceback
from collections.abc import Iterator
from http import HTTPStatus
from typing import ClassVar

import psycopg

_QUOTED = re.compile(r"[\"'].*[\"']", re.DOTALL)


class SpokenError(Exception):
    """An error whose words staff may read.

    They are ours or the provider's, and tell nothing of a row.
    """


class HoldfastError(SpokenError):
    """A refusal that a caller can program against."""

    type: ClassVar[str] = "invalid_request_error"
    code: str = "invalid_request"
    http_status: ClassVar[int] = HTTPStatus.BAD_REQUEST
    retry_after: int | None = None
    """Seconds after which trying again is sensible; None where it is not."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class ValidationError(HoldfastError):
    """One field of the request is wrong."""

    type = "validation_error"
    http_status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, *, param: str | None, code: str, message: str) -> None:
        super().__init__(message, param=param)
        self.code = code


class NotFoundError(HoldfastError):
    """There is no such object for this caller."""

    code = "not_found"
    http_status = HTTPStatus.NOT_FOUND

    def __init__(self, *, kind: str) -> None:
        super().__init__(f"There is no such {kind}.")


class MethodNotAllowedError(HoldfastError):
    """The address is right, and the method is not one of its."""

    code = "method_not_allowed"
    http_status = HTTPStatus.METHOD_NOT_ALLOWED


class TooLargeError(HoldfastError):
    """The body is larger than we read."""

    code = "too_large"
    http_status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class ConflictError(HoldfastError):
    """The request is right, and the present state does not allow it."""

    code = "conflict"
    http_status = HTTPStatus.CONFLICT


class BusyError(ConflictError):
    """A lock could not be had in time; nothing was changed."""

    code = "lock_timeout"
    retry_after = 1

    def __init__(self) -> None:
        super().__init__("Another request is changing this. Nothing was changed; try again.")


class UnavailableError(HoldfastError):
    """Something that we depend on cannot be reached; nothing was changed."""

    type = "api_error"
    code = "unavailable"
    http_status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after = 2


class InternalError(HoldfastError):
    """A fault of ours; the log has its cause, by request id."""

    type = "api_error"
    code = "internal_error"
    http_status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side. It is safe to try again with the same Idempotency-Key.")


def describe(error: BaseException) -> str:
    """Describe an error in words to store and show to staff.

    Words that others have chosen carry values of rows. Of Python's, only the class is told; of PostgreSQL's, the
    message without what it quotes, and its own names. What a function in the database raises is left out.
    """
    name = type(error).__name__
    if isinstance(error, SpokenError):
        return f"{name}: {error}" if str(error) else name
    refused = diagnosis(error)
    if refused is None:
        return name
    is_raised = refused.source_function == "exec_stmt_raise"
    said = "" if is_raised else _QUOTED.sub("…", refused.message_primary or "")
    names = [refused.constraint_name or refused.table_name, refused.sqlstate and f"SQLSTATE {refused.sqlstate}"]
    told = ", ".join(each for each in names if each)
    return f"{name}{said and ': '}{said}{told and f' ({told})'}"


def diagnosis(error: BaseException) -> psycopg.errors.Diagnostic | None:
    """Return what PostgreSQL said of an error, or of its cause."""
    return next((each.diag for each in _chain(error) if isinstance(each, psycopg.Error)), None)


def trace(error: BaseException) -> str:
    """Return where an error and those behind it arose, without their words."""
    parts = (f"{type(each).__name__}\n{''.join(traceback.format_tb(each.__traceback__))}" for each in _chain(error))
    return "\n".join(parts)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those behind it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
