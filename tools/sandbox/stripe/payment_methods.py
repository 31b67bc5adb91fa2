"""Payment methods, made from Stripe's test names, and how the bank behaves for each.

See https://docs.stripe.com/testing.
"""

from dataclasses import dataclass

from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import ResourceMissing
from tools.sandbox.stripe.objects import StripeObject, card_checks, empty_billing_details


@dataclass(frozen=True)
class Decline:
    """Why the bank says no, in Stripe's codes and words."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True)
class TestCard:
    """A card of Stripe's test mode."""

    last4: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    needs_authentication: bool = False


def _declined(decline_code: str, message: str = "Your card was declined.") -> Decline:
    return Decline("card_declined", decline_code, message)


AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
INSUFFICIENT_FUNDS = _declined("insufficient_funds", "Your card has insufficient funds.")
EXPIRED_CARD = Decline("expired_card", "expired_card", "Your card has expired.")
INCORRECT_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
PROCESSING_ERROR = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
VELOCITY_EXCEEDED = _declined(
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
)

CARDS = {
    "visa": TestCard("4242"),
    "visa_debit": TestCard("5556", funding="debit"),
    "mastercard": TestCard("4444", brand="mastercard"),
    "mastercard_debit": TestCard("8210", brand="mastercard", funding="debit"),
    "mastercard_prepaid": TestCard("5100", brand="mastercard", funding="prepaid"),
    "amex": TestCard("8431", brand="amex"),
    "discover": TestCard("9424", brand="discover"),
    "diners": TestCard("0004", brand="diners"),
    "jcb": TestCard("0505", brand="jcb"),
    "unionpay": TestCard("0005", brand="unionpay"),
    "us": TestCard("4242"),
    "br": TestCard("0002", country="BR"),
    "fr": TestCard("0003", country="FR"),
    "gb": TestCard("0000", country="GB"),
    "de": TestCard("0016", country="DE"),
    "chargeDeclined": TestCard("0002", decline=_declined("generic_decline")),
    "chargeDeclinedInsufficientFunds": TestCard("9995", decline=INSUFFICIENT_FUNDS),
    "chargeDeclinedLostCard": TestCard("9987", decline=_declined("lost_card")),
    "chargeDeclinedStolenCard": TestCard("9979", decline=_declined("stolen_card")),
    "chargeDeclinedVelocityLimitExceeded": TestCard("6975", decline=VELOCITY_EXCEEDED),
    "chargeDeclinedFraudulent": TestCard("0019", decline=_declined("fraudulent")),
    "chargeDeclinedExpiredCard": TestCard("0069", decline=EXPIRED_CARD),
    "chargeDeclinedIncorrectCvc": TestCard("0127", decline=INCORRECT_CVC),
    "chargeDeclinedProcessingError": TestCard("0119", decline=PROCESSING_ERROR),
    "chargeCustomerFail": TestCard("0341", decline=_declined("generic_decline")),
    "authenticationRequired": TestCard("3184", needs_authentication=True),
    "threeDSecureRequired": TestCard("3063", needs_authentication=True),
    "threeDSecure2Required": TestCard("3220", needs_authentication=True),
    "authenticationRequiredChargeDeclinedInsufficientFunds": TestCard(
        "8260", decline=INSUFFICIENT_FUNDS, needs_authentication=True
    ),
}
# Stripe's pages name these declines both with and without the brand.
ALSO_WITH_BRAND = (
    "chargeDeclined",
    "chargeDeclinedInsufficientFunds",
    "chargeDeclinedLostCard",
    "chargeDeclinedStolenCard",
    "chargeDeclinedVelocityLimitExceeded",
)
TEST_CARDS = {f"pm_card_{name}": card for name, card in CARDS.items()} | {
    f"pm_card_visa_{name}": CARDS[name] for name in ALSO_WITH_BRAND
}


def card_of(account: Account, method: StripeObject) -> TestCard:
    """Return the test card that a payment method stands for."""
    return TEST_CARDS[account.card_of[method["id"]]]


def resolve(account: Account, name: str, *, param: str = "payment_method", http_status: int = 400) -> StripeObject:
    """Return the payment method of that id; a test name makes a new one. Raises: ResourceMissing."""
    if name in account.payment_methods:
        return account.payment_methods[name]
    if name not in TEST_CARDS:
        raise ResourceMissing("PaymentMethod", name, param=param, http_status=http_status)
    method = _new_payment_method(account.ids.new("pm_"), account.timestamp(), TEST_CARDS[name])
    account.payment_methods[method["id"]] = method
    account.card_of[method["id"]] = name
    return method


def retrieve(account: Account, method_id: str) -> StripeObject:
    """Return one payment method. Raises: ResourceMissing."""
    return resolve(account, method_id, http_status=404)


def _new_payment_method(method_id: str, created: int, card: TestCard) -> StripeObject:
    return {
        "id": method_id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": empty_billing_details(),
        "card": {
            "brand": card.brand,
            "checks": card_checks(),
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": f"sandbox{card.brand}{card.last4}",
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": created,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
