"""Why something cannot be done with a payment."""

from http import HTTPStatus
from uuid import UUID

from common import currencies
from common.errors import ConflictError, HoldfastError, SpokenError, ValidationError


class CardError(HoldfastError):
    """The provider declined the card; ``code`` is the provider's."""

    type = "card_error"
    http_status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, *, code: str, message: str, param: str | None = "payment.payment_method_id") -> None:
        super().__init__(message or "The card was declined.", param=param)
        self.code = code or "card_declined"


class PaymentRefusedError(ValidationError):
    """The provider refuses such a payment; no bank was asked."""


REFUSED_FIELDS = {
    "invalid_currency": "currency",
    "invalid_amount": "amount",
    "invalid_payment_method": "payment_method_id",
    "payment_refused": None,
}
"""What a payment fails with that the provider refuses, and the field that is wrong."""


def why_failed(*, code: str, message: str, prefix: str = "") -> HoldfastError:
    """Return why a payment has failed, for a caller.

    ``prefix`` leads to the payment's fields in the request.
    """
    if code not in REFUSED_FIELDS:
        return CardError(code=code, message=message, param=f"{prefix}payment_method_id" if prefix else None)
    field = REFUSED_FIELDS[code]
    is_named = field == "payment_method_id" or not prefix
    return PaymentRefusedError(param=f"{prefix}{field}" if field and is_named else None, code=code, message=message)


class ManagedPaymentError(ConflictError):
    """The payment is driven through what it belongs to."""

    code = "managed_by_reservation"

    def __init__(self, *, by: str) -> None:
        super().__init__(f"This payment belongs to a {by} and is driven through it.")
        self.code = f"managed_by_{by}"


class NoAccountError(ValidationError):
    """The operator has no account that takes new sales at the provider."""

    def __init__(self, *, provider: str = "", param: str | None = None) -> None:
        at = f" by {provider}" if provider else ""
        super().__init__(param=param, code="invalid_choice", message=f"This operator takes no payments{at}.")


class SandboxOnlyError(HoldfastError):
    """A failure can be forced only where no real provider is."""

    code = "sandbox_only"

    def __init__(self) -> None:
        super().__init__("A failure can be forced only against the sandbox.", param="force")


class NotFinalError(HoldfastError):
    """The payment has no final state yet."""

    code = "processing"
    http_status = HTTPStatus.TOO_EARLY
    retry_after = 1

    def __init__(self) -> None:
        super().__init__("This payment has no final state yet. Ask again.")


class RefundExceedsPaymentError(ValidationError):
    """More than is left of the captured money."""

    def __init__(self, *, left: int, currency: str) -> None:
        message = f"Refund exceeds the remaining {currencies.shown(left, currency)}."
        super().__init__(param="amount", code="refund_exceeds_payment", message=message)


class PaymentDisputedError(ConflictError):
    """The customer's bank decides about the money, or has taken it back."""

    code = "payment_disputed"

    def __init__(self) -> None:
        super().__init__("The customer's bank disputes this payment. A disputed payment cannot be refunded.")


class OutcomeMismatchError(SpokenError):
    """The provider's amount, currency, account or object differs from ours.

    A person must see it.
    """


class UnknownPaymentError(SpokenError):
    """The provider speaks of a payment that we do not have (yet)."""


class EarlyOutcomeError(SpokenError):
    """The provider tells of money that is not known here yet.

    The outcome waits for it.

    ``payment_id`` is its payment. ``again`` is whether it is tried again by itself, whatever else is heard.
    """

    def __init__(self, message: str, *, payment_id: UUID, again: bool = False) -> None:
        super().__init__(message)
        self.payment_id = payment_id
        self.again = again
