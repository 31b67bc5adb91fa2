"""Payment intents: made, changed, read. Paying them is `confirming`, ending them `capturing`.

See https://docs.stripe.com/payments/paymentintents/lifecycle.
"""

from tools.sandbox.form import Params
from tools.sandbox.stripe import confirming, events, lists, money, objects, params, payment_methods
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import InvalidRequest, ParameterMissing, UnexpectedState
from tools.sandbox.stripe.objects import StripeObject
from tools.sandbox.words import words

TEXTS = (
    "customer",
    "customer_account",
    "description",
    "on_behalf_of",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor_suffix",
    "transfer_group",
)
OBJECTS = ("payment_method_options", "shipping", "transfer_data")
IGNORED = frozenset(
    words(
        "allowed_payment_method_types amount_details excluded_payment_method_types payment_details "
        "payment_method_configuration radar_options use_stripe_sdk"
    )
)
COMMON_PARAMS = IGNORED | {
    *TEXTS,
    *OBJECTS,
    *("amount", "application_fee_amount", "capture_method", "currency", "expand", "metadata", "payment_method"),
    *("payment_method_data", "payment_method_types", "statement_descriptor"),
}
CONFIRM_ONLY = ("return_url", "off_session", "error_on_requires_action", "mandate", "mandate_data")
CREATE_PARAMS = COMMON_PARAMS | {
    *CONFIRM_ONLY,
    *("automatic_payment_methods", "confirm", "confirmation_method", "confirmation_token"),
}
UPDATE_PARAMS = COMMON_PARAMS
RETRIEVE_PARAMS = frozenset({"client_secret", "expand", "key"})
LIST_PARAMS = frozenset({*lists.PARAMS, "created", "customer", "customer_account"})
CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
CHANGEABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
PAYMENT_METHOD_TYPES = ("card", "link")


def create(account: Account, given: Params) -> StripeObject:
    """Make a payment intent, and confirm it when asked to. Raises: StripeError, CardError."""
    params.check_known(given, CREATE_PARAMS)
    confirming.check_modelled(given)
    intent = _new(account, given)
    confirms = params.find_boolean(given, "confirm") is True
    options = confirming.options_of(given)
    if not confirms:
        _refuse_confirm_only(given)
    account.payment_intents[intent["id"]] = intent
    events.emit(account, "payment_intent.created", intent)
    if confirms:
        confirming.start(account, intent, options)
    return intent


def update(account: Account, intent_id: str, given: Params) -> StripeObject:
    """Change a payment intent; amount, currency and payment method only while it is unpaid. Raises: UnexpectedState."""
    params.check_known(given, UPDATE_PARAMS)
    confirming.check_modelled(given)
    intent = account.get_payment_intent(intent_id)
    for name in ("amount", "currency", "payment_method", "capture_method"):
        if name in given and intent["status"] not in CHANGEABLE:
            raise UnexpectedState(
                f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}. "
                f"You may only update the {name} of a PaymentIntent with one of the following statuses: "
                f"{', '.join(CHANGEABLE)}.",
                payment_intent=intent,
            )
    changes = _changes(account, given, intent)
    if given.get("payment_method") and intent["status"] == "requires_payment_method":
        changes["status"] = "requires_confirmation"
    intent.update(changes)
    return intent


def retrieve(account: Account, intent_id: str, given: Params) -> StripeObject:
    """Return one payment intent. Raises: ResourceMissing; InvalidRequest for a wrong client secret."""
    params.check_known(given, RETRIEVE_PARAMS)
    intent = account.get_payment_intent(intent_id)
    confirming.check_client_secret(intent, given)
    return intent


def list_payment_intents(account: Account, given: Params) -> StripeObject:
    """Return a page of payment intents, the newest first."""
    params.check_known(given, LIST_PARAMS)
    return lists.page_of_objects(
        account.payment_intents,
        given,
        matches=lists.field_filter(given, "customer", "customer_account"),
        kind="payment_intent",
        url="/v1/payment_intents",
    )


def _new(account: Account, given: Params) -> StripeObject:
    amount = params.get_integer(given, "amount")
    currency = money.check_currency(params.get_string(given, "currency"))
    money.check_amount(amount, currency)
    intent = objects.new_payment_intent(
        account.ids.new("pi_"), account.ids.new(""), account.timestamp(), amount, currency
    )
    intent.update(_changes(account, given, intent))
    automatic = params.find_dict(given, "automatic_payment_methods")
    if automatic and "payment_method_types" in given:
        raise InvalidRequest(
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types."
        )
    if automatic:
        enabled = params.find_boolean(automatic, "enabled")
        if enabled is None:
            raise ParameterMissing("automatic_payment_methods[enabled]")
        redirects = params.find_choice(automatic, "allow_redirects", ("always", "never")) or "always"
        intent["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True} if enabled else None
    if intent["payment_method"] is not None:
        intent["status"] = "requires_confirmation"
    return intent


def _changes(account: Account, given: Params, intent: StripeObject) -> StripeObject:
    changes: StripeObject = {name: params.find_string(given, name) for name in TEXTS if name in given}
    changes |= {name: params.find_dict(given, name) for name in OBJECTS if name in given}
    if changes.get("transfer_data"):
        changes["transfer_data"]["amount"] = params.find_integer(changes["transfer_data"], "amount")
    changes["metadata"] = params.merged_metadata(given, intent["metadata"])
    amount = params.find_integer(given, "amount")
    currency = params.find_string(given, "currency")
    if amount is not None or currency is not None:
        changes["currency"] = money.check_currency(currency or intent["currency"])
        changes["amount"] = amount or intent["amount"]
        money.check_amount(changes["amount"], changes["currency"])
    if "application_fee_amount" in given:
        changes["application_fee_amount"] = params.find_integer(given, "application_fee_amount", minimum=0)
    if capture_method := params.find_choice(given, "capture_method", CAPTURE_METHODS):
        changes["capture_method"] = capture_method
    if types := params.find_list(given, "payment_method_types"):
        _check_types(types)
        changes |= {"payment_method_types": types, "automatic_payment_methods": None}
    if given.get("statement_descriptor"):
        raise InvalidRequest(
            "The `statement_descriptor` parameter is not supported for the card payment method type. Please use "
            "`statement_descriptor_suffix` instead.",
            param="statement_descriptor",
        )
    # Last, as it makes an object: everything else has been checked by then.
    if method := params.find_string(given, "payment_method"):
        changes["payment_method"] = payment_methods.resolve(account, method)["id"]
    return changes


def _check_types(types: list[str]) -> None:
    for kind in types:
        if kind not in PAYMENT_METHOD_TYPES:
            raise InvalidRequest(
                f'The payment method type "{kind}" is invalid. Please ensure the provided type is activated in your '
                "dashboard (https://dashboard.stripe.com/account/payments/settings) and your account is enabled for "
                "any preview features that you are trying to use.",
                param="payment_method_types",
                code="payment_intent_invalid_parameter",
            )


def _refuse_confirm_only(given: Params) -> None:
    for name in CONFIRM_ONLY:
        if name in given:
            raise InvalidRequest(
                f"The parameter `{name}` cannot be passed when creating a PaymentIntent unless `confirm` is set to "
                "true.",
                param=name,
            )
