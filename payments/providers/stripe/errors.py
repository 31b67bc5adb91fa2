"""What the SDK of Stripe raises, in our terms. https://docs.stripe.com/error-low-level"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import stripe

from common import retries
from payments.providers.errors import (
    DeclinedError,
    HoldEndedError,
    KeyUsedError,
    MissingError,
    NotSentError,
    OutcomeUnknownError,
    ProviderError,
    RefusedError,
    UnreadableError,
)
from payments.providers.stripe import fields, objects

_NOT_SEEN = frozenset(("resource_missing", "livemode_mismatch", "account_invalid"))
"""The object belongs to another account or mode than the key; what became of it is not said."""
_HOLD_ENDED = frozenset(("charge_expired_for_capture", "capture_charge_authorization_expired"))
_UNREADABLE = (RecursionError, UnicodeDecodeError)
"""What the SDK lets through of an answer that it cannot read."""
_ANSWERED = 2
"""The first digit of the statuses of answers that bring what was asked for."""
_FIELDS = ("amount", "currency", "payment_method")


@contextmanager
def translated(account: str) -> Iterator[None]:
    """Say in our terms what the SDK raises. https://docs.stripe.com/error-low-level"""
    try:
        yield
    except stripe.CardError as error:
        raise DeclinedError(**_refusal(error, account)) from error
    except stripe.IdempotencyError as error:
        raise KeyUsedError(str(error), request_id=error.request_id or "") from error
    except stripe.RateLimitError as error:
        asked = retries.read_retry_after((error.headers or {}).get("Retry-After"))
        seconds = 1.0 if asked is None else asked
        raise NotSentError("rate limited", retry_after=seconds, request_id=error.request_id or "") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise NotSentError(f"our API key was refused: {error.code}", request_id=error.request_id or "") from error
    except stripe.InvalidRequestError as error:
        raise _refused(error, account) from error
    except stripe.StripeError as error:
        what = f"HTTP {error.http_status}" if error.http_status else "no answer"
        raise OutcomeUnknownError(
            f"{what} ({type(error).__name__})",
            answer_saved=(error.http_status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR,
            request_id=error.request_id or "",
        ) from error
    except UnreadableError as error:
        raise OutcomeUnknownError(f"the answer cannot be read: {error}") from error
    except _UNREADABLE as error:
        raise OutcomeUnknownError("the answer cannot be read: it is nested too deep, or no text") from error


@contextmanager
def translated_reading(account: str) -> Iterator[None]:
    """Translate errors of calls that only read.

    An answer that is no readable JSON is ``UnreadableError``.
    """
    try:
        with translated(account):
            yield
    except OutcomeUnknownError as error:
        cause = error.__cause__
        is_answered = isinstance(cause, stripe.APIError) and (cause.http_status or 0) // 100 == _ANSWERED
        if is_answered or isinstance(cause, _UNREADABLE):
            raise UnreadableError("the page is no JSON that can be read") from error
        raise


def _refused(error: stripe.InvalidRequestError, account: str) -> ProviderError:
    """Tell a refusal from an object that this key does not see, which says nothing. https://docs.stripe.com/error-codes"""
    is_missing = error.http_status == HTTPStatus.NOT_FOUND or error.code in _NOT_SEEN
    if is_missing and error.param != "payment_method":
        return MissingError(f"{error.code or 'not found'}: {error.user_message}", request_id=error.request_id or "")
    refusal = _refusal(error, account)
    if error.code in _HOLD_ENDED:
        return HoldEndedError(**refusal)
    return RefusedError(**refusal, field=error.param if error.param in _FIELDS else "")


def _refusal(error: stripe.StripeError, account: str) -> dict[str, Any]:
    intent = getattr(error.error, "payment_intent", None)
    try:
        payment = objects.payment(fields.plain(intent), account) if intent else None
    except UnreadableError:
        payment = None
    return {
        "failure": objects.failure_of({"code": error.code, "message": error.user_message}),
        "payment": payment,
        "request_id": error.request_id or "",
    }
