"""The error language: one class per reason, each with its type, code and HTTP status.

Apps subclass :class:`HoldfastError` in their own ``errors.py``. Constructors take values, not prose;
``common.exception_handler`` turns an instance into the envelope of the HTTP contract.
"""

from http import HTTPStatus
from typing import ClassVar


class HoldfastError(Exception):
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
        super().__init__("Somebody else is changing this at the moment; nothing was changed. Try again.")


class UnavailableError(HoldfastError):
    """Something that we depend on cannot be reached; nothing was changed."""

    type = "api_error"
    code = "unavailable"
    http_status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after = 2


class InternalError(HoldfastError):
    """A fault of ours; its cause is in the log under the request's id."""

    type = "api_error"
    code = "internal_error"
    http_status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side. It is safe to try again with the same Idempotency-Key.")
