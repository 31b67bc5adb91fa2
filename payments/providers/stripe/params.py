"""Parameters and options of calls to Stripe."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from payments.providers.stripe import access, money, objects


def window(since: datetime, until: datetime | None) -> dict[str, int]:
    """Write a time from ``since`` until ``until``, in Stripe's whole seconds."""
    return {"gte": int(since.timestamp())} | ({"lt": int(until.timestamp())} if until else {})


def intent(parameters: Mapping[str, Any], key: str) -> Any:
    """Write the parameters of a payment intent that confirms nothing."""
    return {
        "amount": amount(parameters),
        "currency": parameters["currency"].lower(),
        "capture_method": parameters["capture_method"],
        "payment_method_types": ["card"],
        "metadata": {
            objects.PAYMENT_KEY: parameters["payment_id"],
            objects.COMMAND_KEY: key,
            **({objects.INSTALLATION_KEY: parameters["installation"]} if parameters.get("installation") else {}),
        },
        "expand": ["latest_charge"],
    }


def amount(parameters: Mapping[str, Any]) -> int:
    """Write an amount as Stripe counts it."""
    return money.to_stripe(parameters["amount"], parameters["currency"])


def options(account: str, key: str | None = None) -> Any:
    """Return the account, its own key if any, and the idempotency key."""
    own = access.own_key(account)
    chosen = {"api_key": own} if own else {"stripe_account": account} if account else {}
    return chosen | ({"idempotency_key": key} if key else {})
