"""Money as people read and write it.

Inside, it is an integer of the currency's minor unit (ISO 4217).
"""

import copy
from decimal import Decimal

from babel import Locale, numbers

from common import iso_4217
from common.errors import ValidationError


def is_currency(code: object) -> bool:
    """Tell whether a code is a present currency.

    Gold, testing codes and withdrawn currencies are none.
    """
    return isinstance(code, str) and iso_4217.find_exponent(code) is not None


def exponent(currency: str) -> int:
    """Return the decimals of a currency: USD 2, JPY 0, KWD 3.

    Raises:
        ValidationError: ``invalid_currency``: it is none, or has no minor unit (gold, testing).
    """
    found = iso_4217.find_exponent(currency)
    if found is None:
        raise ValidationError(param="currency", code="invalid_currency", message=iso_4217.WANTED)
    return found


def shown(amount: int, currency: str) -> str:
    """Write minor units for a person: 259900 USD is "2,599.00 USD".

    Of a currency that is not known, which a provider may speak of, the minor units are written as such.
    """
    decimals = iso_4217.find_old_exponent(currency)
    if decimals is None:
        return f"{amount:,} minor units of {currency or 'no currency'}"
    whole, rest = divmod(abs(amount), 10**decimals)
    fraction = f".{rest:0{decimals}d}" if decimals else ""
    return f"{'-' if amount < 0 else ''}{whole:,}{fraction} {currency}"


def written(amount: int, currency: str, *, language: str) -> str:
    """Write minor units as in a language: "RSD15.50" in English.

    With ISO 4217's decimals: those of CLDR are what shops round cash to, so that 15.50 RSD would read as 16.
    """
    decimals = iso_4217.find_old_exponent(currency)
    if decimals is None:
        return shown(amount, currency)
    pattern = copy.copy(Locale.parse(language).currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    value = Decimal(amount).scaleb(-decimals)
    return numbers.format_currency(value, currency, format=pattern, locale=language, currency_digits=False)


def to_major(amount: int, currency: str) -> Decimal:
    """Turn minor units into major units; unknown currencies stay as they are."""
    return Decimal(amount).scaleb(-(iso_4217.find_old_exponent(currency) or 0))


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn an amount as a person writes it (12.50) into minor units.

    Raises:
        ValidationError: ``invalid_amount``: it is no number of the currency's smallest coins.
    """
    minor = amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        message = f"{amount:f} has too many decimals for {currency}."
        raise ValidationError(param="amount", code="invalid_amount", message=message)
    return int(minor)
