"""Which currencies there are, and how many decimals each has. https://www.iso.org/iso-4217-currency-codes.html"""

import iso4217

WANTED = "The currency must be an upper-case ISO 4217 code, such as USD."

_WITHDRAWN = {
    "ANG": 2, "BGN": 2, "BYR": 0, "CUC": 2, "EEK": 2, "HRK": 2, "LTL": 2, "LVL": 2, "MRO": 2, "SLL": 2, "STD": 2,
    "VEF": 2, "ZMK": 2, "ZWL": 2,
}  # fmt: skip
"""Money of these is taken no more, and what was taken is still shown."""


def find_exponent(code: str) -> int | None:
    """Return the decimals of a present currency; None if there is none.

    Gold and testing codes are none.
    """
    try:
        found = iso4217.Currency(code).exponent
    except ValueError:
        return None
    return None if found is None else int(found)


def find_old_exponent(code: str) -> int | None:
    """Return the decimals of a present or past currency, or None."""
    found = find_exponent(code)
    return _WITHDRAWN.get(code) if found is None else found
