"""Expansion: ids in an answer replaced by their objects, see https://docs.stripe.com/expand."""

from typing import Any

from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.errors import InvalidRequest
from tools.sandbox.stripe.objects import StripeObject

EXPANDABLE = {
    "payment_intent": {"latest_charge", "payment_method", "customer", "review", "on_behalf_of", "application"},
    "charge": {"balance_transaction", "payment_intent", "customer", "refunds", "review", "failure_balance_transaction"},
    "refund": {"balance_transaction", "charge", "payment_intent", "failure_balance_transaction"},
    "balance_transaction": {"source"},
    "payment_method": {"customer"},
    "list": {"data"},
}
DEEPEST = 4


def expanded(account: Account, answer: StripeObject, paths: list[Any]) -> StripeObject:
    """Return a copy of the answer with the objects at these paths in place of their ids. Raises: InvalidRequest."""
    for path in paths:
        parts = str(path).split(".")
        if len(parts) > DEEPEST:
            raise InvalidRequest(f"You cannot expand more than {DEEPEST} levels of a property: {path}", param="expand")
        answer = _expand(account, answer, parts, str(path))
    return answer


def _expand(account: Account, target: StripeObject, parts: list[str], path: str) -> StripeObject:
    name, rest = parts[0], parts[1:]
    if name not in EXPANDABLE.get(target["object"], ()):
        raise InvalidRequest(f"This property cannot be expanded ({path}).", param="expand")
    value = target.get(name)
    if isinstance(value, str):
        value = account.find_object(value) or value
    if rest and isinstance(value, list):
        value = [_expand(account, item, rest, path) for item in value]
    elif rest and isinstance(value, dict):
        value = _expand(account, value, rest, path)
    return {**target, name: value}
