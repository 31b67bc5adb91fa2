"""Amounts between ISO 4217's minor units, which are ours, and what Stripe counts in. https://docs.stripe.com/currencies

They differ for three currencies: Stripe writes ISK and UGX, which have no minor unit, with two decimals that must be
zero, and MGA, which has one on paper, without.
"""

from common import currencies
from common.errors import ValidationError

HIGHEST = 99_999_999
"""Eight digits. https://docs.stripe.com/api/payment_intents/create#create_payment_intent-amount"""

_TWO_DECIMALS_OF_ZERO = frozenset(("ISK", "UGX"))
_NO_DECIMALS = frozenset(("MGA",))
_THREE_DECIMALS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
"""Their last digit must be zero, for the card networks."""

_LOWEST = {
    "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30,
    "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200,
    "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}  # fmt: skip
"""The least that can be charged. https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""


def to_stripe(amount: int, currency: str) -> int:
    """Turn an amount in minor units into Stripe's. What :func:`check` lets pass is turned without a loss."""
    if currency in _TWO_DECIMALS_OF_ZERO:
        return amount * 100
    return amount // 100 if currency in _NO_DECIMALS else amount


def from_stripe(amount: int, currency: str) -> int:
    """Turn an amount of Stripe's into minor units."""
    if currency in _TWO_DECIMALS_OF_ZERO:
        return amount // 100
    return amount * 100 if currency in _NO_DECIMALS else amount


def check(*, amount: int, currency: str, param: str) -> None:
    """Refuse what Stripe could not charge, before anything is stored; ``param`` is the field that the amount is of.

    Raises:
        ValidationError: ``invalid_currency`` or ``invalid_amount``.
    """
    exponent = currencies.exponent(currency)
    if exponent > 2 and currency not in _THREE_DECIMALS:
        raise ValidationError(param="currency", code="invalid_currency", message=f"{currency} cannot be charged.")
    lowest, step = _LOWEST.get(currency, 1), 1
    if currency in _NO_DECIMALS:
        step = 100
    if currency in _THREE_DECIMALS:
        step = 10
    highest = from_stripe(HIGHEST, currency) // step * step
    if not max(lowest, step) <= amount <= highest:
        least, most = currencies.shown(max(lowest, step), currency), currencies.shown(highest, currency)
        message = f"{currencies.shown(amount, currency)} cannot be charged; the limits are {least} and {most}."
        raise ValidationError(param=param, code="invalid_amount", message=message)
    if amount % step:
        message = f"An amount in {currency} must be a multiple of {currencies.shown(step, currency)}."
        raise ValidationError(param=param, code="invalid_amount", message=message)
