"""Stripe's API without HTTP: which operation a method and path mean, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.sandbox.form import Params, as_list
from tools.sandbox.stripe import (
    balance,
    capturing,
    charges,
    confirming,
    events,
    expansion,
    intents,
    params,
    payment_methods,
    payouts,
    refunds,
)
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import ParameterMissing, SecretKeyRequired, UnrecognizedUrl
from tools.sandbox.stripe.objects import StripeObject
from tools.sandbox.words import words


@dataclass(frozen=True)
class Call:
    """One API call: the account it acts for, its parameters, and the id in its path ("" when there is none)."""

    account: Account
    params: Params
    id: str


def _plain_id(call: Call) -> str:
    """Return the id of an object that is read as it is. Raises: ParameterUnknown."""
    params.check_known(call.params, ("expand",))
    return call.id


Operation = Callable[[Call], StripeObject]

OPERATIONS: dict[str, Operation] = {
    "GET payment_intents": lambda call: intents.list_payment_intents(call.account, call.params),
    "POST payment_intents": lambda call: intents.create(call.account, call.params),
    "GET payment_intents *": lambda call: intents.retrieve(call.account, call.id, call.params),
    "POST payment_intents *": lambda call: intents.update(call.account, call.id, call.params),
    "POST payment_intents * confirm": lambda call: confirming.confirm(call.account, call.id, call.params),
    "POST payment_intents * capture": lambda call: capturing.capture(call.account, call.id, call.params),
    "POST payment_intents * cancel": lambda call: capturing.cancel(call.account, call.id, call.params),
    "GET payment_methods *": lambda call: payment_methods.retrieve(call.account, _plain_id(call)),
    "GET charges": lambda call: charges.list_charges(call.account, call.params),
    "GET charges *": lambda call: charges.retrieve(call.account, _plain_id(call)),
    "GET refunds": lambda call: refunds.list_refunds(call.account, call.params),
    "POST refunds": lambda call: refunds.create(call.account, call.params),
    "GET refunds *": lambda call: refunds.retrieve(call.account, _plain_id(call)),
    "POST refunds *": lambda call: refunds.update(call.account, call.id, call.params),
    "GET balance_transactions": lambda call: balance.list_balance_transactions(call.account, call.params),
    "GET balance_transactions *": lambda call: balance.retrieve(call.account, _plain_id(call)),
    "GET payouts": lambda call: payouts.list_payouts(call.account, call.params),
    "GET payouts *": lambda call: payouts.retrieve(call.account, _plain_id(call)),
    "GET events": lambda call: events.list_events(call.account, call.params),
    "GET events *": lambda call: events.retrieve(call.account, _plain_id(call)),
}
PUBLISHABLE = ("GET payment_intents *", "POST payment_intents * confirm")
# What Stripe shows of a payment intent to a browser.
PUBLISHABLE_FIELDS = frozenset(
    words(
        "amount amount_details automatic_payment_methods canceled_at cancellation_reason capture_method client_secret "
        "confirmation_method created currency description id last_payment_error livemode next_action object "
        "payment_method payment_method_configuration_details payment_method_types processing receipt_email "
        "setup_future_usage shipping source status"
    )
)


def execute(account: Account, method: str, path: str, given: Params, *, publishable: bool = False) -> StripeObject:
    """Carry out one API call and return the object it answers with, expanded as asked.

    Raises: StripeError. The answer shares data with the account: serialize it before anything else is executed.
    """
    name, object_id = _find(method, path)
    if publishable:
        _check_publishable(name, given)
    answer = OPERATIONS[name](Call(account, given, object_id))
    if publishable:
        return {field: value for field, value in answer.items() if field in PUBLISHABLE_FIELDS}
    return expansion.expanded(account, answer, as_list(given.get("expand")))


def _find(method: str, path: str) -> tuple[str, str]:
    segments = path.strip("/").split("/")
    if len(segments) < 2 or segments[0] != "v1":
        raise UnrecognizedUrl(method, path)
    object_id = segments[2] if len(segments) > 2 else ""
    shape = [segments[1], *(["*"] if object_id else []), *segments[3:]]
    name = f"{method} {' '.join(shape)}"
    if name not in OPERATIONS or len(segments) > 4:
        raise UnrecognizedUrl(method, path)
    return name, object_id


def _check_publishable(name: str, given: Params) -> None:
    if name not in PUBLISHABLE:
        raise SecretKeyRequired
    if not given.get("client_secret"):
        raise ParameterMissing("client_secret")
