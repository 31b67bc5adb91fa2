"""Paying a payment intent: confirmation, what the bank answers, and the customer's authentication."""

import contextlib
import hmac
from dataclasses import dataclass

from tools.sandbox.form import Params
from tools.sandbox.stripe import charges, events, params, payment_methods
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import CardError, InvalidRequest, UnexpectedState
from tools.sandbox.stripe.objects import StripeObject
from tools.sandbox.stripe.payment_methods import Decline
from tools.sandbox.words import words

CONFIRM_PARAMS = frozenset(
    words(
        "allowed_payment_method_types amount_details amount_to_confirm capture_method client_secret confirmation_token "
        "error_on_requires_action excluded_payment_method_types expand expected_payment_method_type key mandate "
        "mandate_data off_session payment_details payment_method payment_method_data payment_method_options "
        "radar_options receipt_email return_url setup_future_usage shipping use_stripe_sdk"
    )
)
CONFIRMABLE = ("requires_confirmation", "requires_action", "requires_payment_method")
NOT_MODELLED = ("payment_method_data", "confirmation_token", "mandate", "mandate_data")
AUTHENTICATION_FAILURE = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again."
)
RETURN_URL_MISSING = (
    "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these "
    "payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't "
    "want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and "
    "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents."
)


@dataclass(frozen=True)
class Options:
    """How a confirmation is to go on when the bank wants the customer's authentication."""

    return_url: str | None = None
    off_session: bool = False
    error_on_requires_action: bool = False


def options_of(given: Params) -> Options:
    """Read the parameters that only a confirmation has."""
    off_session = given.get("off_session") in ("one_off", "recurring") or params.find_boolean(given, "off_session")
    return Options(
        return_url=params.find_string(given, "return_url"),
        off_session=bool(off_session),
        error_on_requires_action=params.find_boolean(given, "error_on_requires_action") is True,
    )


def check_modelled(given: Params) -> None:
    """Refuse what Stripe knows and the sandbox does not, rather than pretend."""
    for name in NOT_MODELLED:
        if given.get(name):
            raise InvalidRequest(f"The sandbox does not model `{name}`.", param=name)
    if given.get("confirmation_method") not in (None, "", "automatic"):
        raise InvalidRequest("The sandbox models only automatic confirmation.", param="confirmation_method")


def confirm(account: Account, intent_id: str, given: Params) -> StripeObject:
    """Try to pay a payment intent. Raises: UnexpectedState, CardError, ResourceMissing."""
    params.check_known(given, CONFIRM_PARAMS)
    check_modelled(given)
    intent = account.get_payment_intent(intent_id)
    check_client_secret(intent, given)
    options = options_of(given)
    expected = params.find_integer(given, "amount_to_confirm")
    if expected is not None and expected != intent["amount"]:
        raise InvalidRequest(
            f"The amount_to_confirm ({expected}) does not match the PaymentIntent's amount ({intent['amount']}).",
            param="amount_to_confirm",
        )
    changes = _changes(given)
    method = params.find_string(given, "payment_method")
    resolved = None if method is None else payment_methods.resolve(account, method)
    check_confirmable(intent)
    if resolved is not None:
        changes["payment_method"] = resolved["id"]
    intent.update(changes)
    start(account, intent, options)
    return intent


def check_client_secret(intent: StripeObject, given: Params) -> None:
    """Raise InvalidRequest when a client secret was given and is not the intent's."""
    secret = params.find_string(given, "client_secret")
    if secret is not None and not hmac.compare_digest(secret.encode(), intent["client_secret"].encode()):
        raise InvalidRequest(
            "The client_secret provided does not match any associated PaymentIntent on this account.",
            param="client_secret",
            code="payment_intent_invalid_parameter",
        )


def check_confirmable(intent: StripeObject) -> None:
    """Raise UnexpectedState when the intent can no longer be paid."""
    if intent["status"] == "succeeded":
        raise UnexpectedState(
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
            payment_intent=intent,
        )
    if intent["status"] not in CONFIRMABLE:
        raise UnexpectedState(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be confirmed: {', '.join(CONFIRMABLE)}.",
            payment_intent=intent,
        )


def start(account: Account, intent: StripeObject, options: Options) -> None:
    """Go to the bank with the intent's payment method; authentication may have to come first.

    Raises: UnexpectedState without a payment method, CardError.
    """
    if intent["payment_method"] is None:
        raise UnexpectedState(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            payment_intent=intent,
        )
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] == "always" and options.return_url is None:
        raise UnexpectedState(RETURN_URL_MISSING, code="payment_intent_invalid_parameter", payment_intent=intent)
    intent.update(status="requires_confirmation", last_payment_error=None, next_action=None)
    method = account.payment_methods[intent["payment_method"]]
    if not payment_methods.card_of(account, method).needs_authentication:
        _charge(account, intent, authenticated=False)
    elif options.off_session or options.error_on_requires_action:
        _decline(account, intent, method, payment_methods.AUTHENTICATION_REQUIRED)
    else:
        intent["status"] = "requires_action"
        intent["next_action"] = _next_action(account, options)
        events.emit(account, "payment_intent.requires_action", intent)


def authenticate(account: Account, intent_id: str, *, result: str) -> StripeObject:
    """Let the customer pass ("success") or fail ("failure") 3-D Secure.

    A decline after a passed authentication is seen on the intent, as no request is there to be told.
    Raises: UnexpectedState when no authentication is awaited.
    """
    intent = account.get_payment_intent(intent_id)
    if intent["status"] != "requires_action":
        raise UnexpectedState(
            f"PaymentIntent {intent_id} awaits no authentication: it has a status of {intent['status']}.",
            payment_intent=intent,
        )
    intent["next_action"] = None
    if result == "success":
        with contextlib.suppress(CardError):
            _charge(account, intent, authenticated=True)
        return intent
    method = account.payment_methods[intent["payment_method"]]
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        last_payment_error={
            "code": "payment_intent_authentication_failure",
            "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
            "message": AUTHENTICATION_FAILURE,
            "payment_method": method,
            "type": "invalid_request_error",
        },
    )
    events.emit(account, "payment_intent.payment_failed", intent)
    return intent


def pay(account: Account, intent_id: str, *, payment_method: str) -> StripeObject:
    """Do what the customer's browser does: confirm the intent with the card that the customer typed in.

    Raises: UnexpectedState, CardError, ResourceMissing.
    """
    given = {"payment_method": payment_method, "return_url": "https://example.com/return"}
    return confirm(account, intent_id, given)


def captures_manually(intent: StripeObject) -> bool:
    """Say whether money is only held at first, by the intent's own choice or that made for cards."""
    for_cards = intent["payment_method_options"].get("card") or {}
    return "manual" in (intent["capture_method"], for_cards.get("capture_method"))


def _changes(given: Params) -> StripeObject:
    changes: StripeObject = {}
    if capture_method := params.find_choice(given, "capture_method", ("automatic", "automatic_async", "manual")):
        changes["capture_method"] = capture_method
    for name in ("receipt_email", "setup_future_usage"):
        if name in given:
            changes[name] = params.find_string(given, name)
    for name in ("payment_method_options", "shipping"):
        if name in given:
            changes[name] = params.find_dict(given, name)
    return changes


def _charge(account: Account, intent: StripeObject, *, authenticated: bool) -> None:
    method = account.payment_methods[intent["payment_method"]]
    decline = payment_methods.card_of(account, method).decline
    if decline is not None:
        _decline(account, intent, method, decline)
    elif captures_manually(intent):
        charge = charges.hold(account, intent, method, authenticated=authenticated)
        intent.update(status="requires_capture", amount_capturable=intent["amount"], latest_charge=charge["id"])
        events.emit(account, "payment_intent.amount_capturable_updated", intent)
    else:
        charge = charges.take(account, intent, method, authenticated=authenticated)
        intent.update(status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"])
        events.emit(account, "payment_intent.succeeded", intent)


def _decline(account: Account, intent: StripeObject, method: StripeObject, reason: Decline) -> None:
    charge = charges.decline(account, intent, method, reason)
    error = CardError(
        reason.message,
        code=reason.code,
        charge=charge["id"],
        decline_code=reason.decline_code,
        payment_method=method,
    )
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        latest_charge=charge["id"],
        last_payment_error=error.body()["error"],
    )
    events.emit(account, "payment_intent.payment_failed", intent)
    error.extra["payment_intent"] = intent
    raise error


def _next_action(account: Account, options: Options) -> StripeObject:
    source = account.ids.new("src_")
    url = f"https://hooks.stripe.com/redirect/authenticate/{source}"
    if options.return_url is not None:
        return {"redirect_to_url": {"return_url": options.return_url, "url": url}, "type": "redirect_to_url"}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"source": source, "stripe_js": url, "type": "three_d_secure_redirect"},
    }
