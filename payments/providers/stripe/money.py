"""Amounts between our minor units (ISO 4217) and Stripe's.

https://docs.stripe.com/currencies

They differ for three currencies: Stripe writes ISK and UGX, which have no minor unit, with two decimals that must be
zero, and MGA, which has one on paper, without.
"""

from common import currencies
from payments.providers.capabilities import Limits

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
    """Turn an amount in minor units into Stripe's.

    What :func:`limits` lets pass is turned without a loss.
    """
    if currency in _TWO_DECIMALS_OF_ZERO:
        return amount * 100
    return amount // 100 if currency in _NO_DECIMALS else amount


def from_stripe(amount: int, currency: str) -> int:
    """Turn an amount of Stripe's into minor units."""
    if currency in _TWO_DECIMALS_OF_ZERO:
        return amount // 100
    return amount * 100 if currency in _NO_DECIMALS else amount


def limits(currency: str) -> Limits | None:
    """Return what can be charged in a currency; None: nothing."""
    if currencies.exponent(currency) > 2 and currency not in _THREE_DECIMALS:
        return None
    step = 100 if currency in _NO_DECIMALS else 10 if currency in _THREE_DECIMALS else 1
    highest = from_stripe(HIGHEST, currency) // step * step
    return Limits(lowest=max(_LOWEST.get(currency, 1), step), highest=highest, step=step)
