"""Stripe's errors: one class per reason, each with the HTTP status and the body that Stripe answers.

Messages and codes follow https://docs.stripe.com/error-codes and answers that Stripe really gave.
"""

from typing import Any


class StripeError(Exception):
    """An answer that is an error. `saved` says whether an idempotency key keeps it (execution had begun)."""

    http_status = 400
    type = "invalid_request_error"
    code: str | None = None
    saved = False

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code or self.code
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """Return the error as Stripe writes it."""
        error: dict[str, Any] = {"message": self.message, "type": self.type}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        return {"error": {**error, **self.extra}}


class InvalidRequest(StripeError):
    """A parameter is wrong; nothing was executed."""


class ParameterMissing(StripeError):
    code = "parameter_missing"

    def __init__(self, param: str) -> None:
        super().__init__(f"Missing required param: {param}.", param=param)


class ParameterUnknown(StripeError):
    code = "parameter_unknown"

    def __init__(self, names: list[str]) -> None:
        plural = "s" if len(names) > 1 else ""
        super().__init__(f"Received unknown parameter{plural}: {', '.join(names)}", param=names[0])


class ParameterEmpty(StripeError):
    code = "parameter_invalid_empty"

    def __init__(self, param: str) -> None:
        super().__init__(
            f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{param}' cannot be unset. You should remove '{param}' from your request or supply a non-empty "
            "value.",
            param=param,
        )


class InvalidInteger(StripeError):
    code = "parameter_invalid_integer"

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message, param=param)


class ResourceMissing(StripeError):
    code = "resource_missing"

    def __init__(self, kind: str, object_id: str, *, param: str, http_status: int = 400) -> None:
        super().__init__(f"No such {kind}: '{object_id}'", param=param)
        self.http_status = http_status


class UnrecognizedUrl(StripeError):
    http_status = 404

    def __init__(self, method: str, path: str) -> None:
        super().__init__(
            f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
            "https://support.stripe.com/."
        )


class Unauthorized(StripeError):
    http_status = 401


class SecretKeyRequired(StripeError):
    http_status = 403
    code = "secret_key_required"

    def __init__(self) -> None:
        super().__init__(
            "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a "
            "list of your API keys at https://dashboard.stripe.com/account/apikeys."
        )


class AmountTooSmall(StripeError):
    code = "amount_too_small"

    def __init__(self, minimum: str) -> None:
        super().__init__(f"Amount must be at least {minimum}", param="amount")


class AmountTooLarge(StripeError):
    code = "amount_too_large"


class RefusedInState(StripeError):
    """The object's state forbids what was asked; execution had begun, so an idempotency key keeps the answer."""

    saved = True


class UnexpectedState(RefusedInState):
    code = "payment_intent_unexpected_state"


class CaptureTooLarge(RefusedInState):
    code = "amount_too_large"


class ChargeAlreadyRefunded(RefusedInState):
    code = "charge_already_refunded"

    def __init__(self, charge_id: str) -> None:
        super().__init__(f"Charge {charge_id} has already been refunded.")


class CardError(StripeError):
    """The bank, or the customer's authentication, said no."""

    http_status = 402
    type = "card_error"
    saved = True


class ApiError(StripeError):
    """Stripe's own fault: its receiver cannot know what happened."""

    http_status = 500
    type = "api_error"
    saved = True

    def __init__(self) -> None:
        super().__init__(
            "Sorry! There was an error while talking to one of our backends. We have already been notified of the "
            "problem, but please contact support@stripe.com with any questions you may have."
        )


class RateLimited(StripeError):
    http_status = 429
    code = "rate_limit"

    def __init__(self) -> None:
        super().__init__("Request rate limit exceeded. Please try again later.")


class IdempotencyError(StripeError):
    type = "idempotency_error"


class KeyUsedWithOtherParams(IdempotencyError):
    def __init__(self, key: str) -> None:
        super().__init__(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
            f"using a key other than '{key}' if you meant to execute a different request."
        )


class KeyUsedOnOtherEndpoint(IdempotencyError):
    def __init__(self, key: str, path: str, first_path: str) -> None:
        super().__init__(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{path}' vs '{first_path}'). Try using a key other than '{key}' if you meant to execute a different "
            "request."
        )


class KeyInUse(IdempotencyError):
    http_status = 409
    code = "idempotency_key_in_use"

    def __init__(self, key: str) -> None:
        super().__init__(
            "There is currently another in-progress request using this Idempotent Key (that probably means you "
            f"submitted twice, and the other request is still going through): {key}. Please try again later."
        )
