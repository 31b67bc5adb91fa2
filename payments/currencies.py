"""ISO 4217: which currencies there are, and how many decimals each has. https://www.iso.org/iso-4217-currency-codes.html"""

from decimal import Decimal

import iso4217

from common.errors import ValidationError

WANTED = "An ISO 4217 code in upper case is needed, such as USD."


def is_currency(code: object) -> bool:
    """Tell whether money can be of this code now: not of gold, testing, or a currency that was withdrawn."""
    return isinstance(code, str) and _exponent(code) is not None


def exponent(currency: str) -> int:
    """Return how many decimals a currency's minor unit makes: 2 for USD, 0 for JPY, 3 for KWD.

    Raises:
        ValidationError: ``invalid_currency``: it is none, or has no minor unit (gold, testing).
    """
    found = _exponent(currency)
    if found is None:
        raise ValidationError(param="currency", code="invalid_currency", message=WANTED)
    return found


def _exponent(code: str) -> int | None:
    try:
        found = iso4217.Currency(code).exponent
    except ValueError:
        return None
    return None if found is None else int(found)


def shown(amount: int, currency: str) -> str:
    """Write an amount of minor units for a person: 259900 USD is "2,599.00 USD", 2599 JPY is "2,599 JPY"."""
    decimals = exponent(currency)
    whole, rest = divmod(abs(amount), 10**decimals)
    fraction = f".{rest:0{decimals}d}" if decimals else ""
    return f"{'-' if amount < 0 else ''}{whole:,}{fraction} {currency}"


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn an amount as a person writes it (12.50) into minor units.

    Raises:
        ValidationError: ``invalid_amount``: it is no number of the currency's smallest coins.
    """
    minor = amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        message = f"{amount} is no amount in {currency}: it has too many decimals."
        raise ValidationError(param="amount", code="invalid_amount", message=message)
    return int(minor)
