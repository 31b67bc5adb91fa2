"""Amounts: which currencies there are, how they are written, and what Stripe accepts.

See https://docs.stripe.com/currencies. Amounts are integers in the smallest unit throughout.
"""

from tools.sandbox.stripe.errors import AmountTooLarge, AmountTooSmall, InvalidInteger, InvalidRequest
from tools.sandbox.words import words

LARGEST = 99_999_999
DISPUTE_FEE = 1500
ZERO_DECIMAL = frozenset(words("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"))
THREE_DECIMAL = frozenset(words("bhd jod kwd omr tnd"))
# Without decimals, yet written with two for compatibility: the last two digits must be zeros.
ALWAYS_WHOLE = frozenset(words("isk ugx"))
CURRENCIES = frozenset(
    words(
        """
        usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd
        cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd
        hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl
        mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr
        pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd
        tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
        """
    )
)
MINIMUM = {
    **dict.fromkeys(words("usd aud brl cad chf eur inr nzd sgd jpy"), 50),
    "aed": 200,
    "bgn": 100,
    "czk": 1500,
    "dkk": 250,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "thb": 1000,
}
SYMBOL = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "brl": "R$", "aud": "$", "cad": "$", "nzd": "$"}


def check_currency(currency: str) -> str:
    """Return the currency in lower case; raise InvalidRequest when Stripe has none of that name."""
    lowered = currency.lower()
    if lowered not in CURRENCIES:
        known = ", ".join(sorted(CURRENCIES))
        raise InvalidRequest(
            f"Invalid currency: {currency}. Stripe currently supports these currencies: {known}", param="currency"
        )
    return lowered


def check_amount(amount: int, currency: str) -> None:
    """Raise AmountTooSmall, AmountTooLarge or InvalidInteger when `amount` cannot be charged in `currency`."""
    if amount > LARGEST:
        raise AmountTooLarge(f"Amount must be no more than {written(LARGEST, currency)}", param="amount")
    if currency in THREE_DECIMAL and amount % 10:
        raise InvalidInteger("amount", f"Amounts in {currency} must be a multiple of 10: the last digit must be 0.")
    if currency in ALWAYS_WHOLE and amount % 100:
        raise InvalidInteger("amount", f"Amounts in {currency} must be a multiple of 100: decimals must be 00.")
    minimum = MINIMUM.get(currency, 1)
    if amount < minimum:
        raise AmountTooSmall(f"{written(minimum, currency)} {currency}")


def written(amount: int, currency: str) -> str:
    """Return the amount as Stripe writes it in messages, such as `$0.50`."""
    places = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    return f"{SYMBOL.get(currency, '')}{amount / 10**places:,.{places}f}"


def fee_of(amount: int) -> int:
    """Return Stripe's fee for a card payment: 2.9 % and 30, rounded half up, in the smallest unit."""
    return (amount * 29 + 500) // 1000 + 30
