"""Why something cannot be done with a payment."""

from http import HTTPStatus

from common.errors import HoldfastError


class CardError(HoldfastError):
    """The provider declined the card; ``code`` is the provider's."""

    type = "card_error"
    http_status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, *, code: str, message: str) -> None:
        super().__init__(message or "The card was declined.", param="payment.payment_method_id")
        self.code = code or "card_declined"


class OutcomeMismatchError(Exception):
    """The provider speaks of another amount, currency, account or object than we asked for; a person must look."""


class UnknownPaymentError(Exception):
    """The provider speaks of a payment that we do not have (yet)."""
