"""Reading Stripe's events, whatever is in them.

An authentic one that cannot be read says why, and is kept.

https://docs.stripe.com/api/events/object
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from common import json_text
from payments.outcome_types import ProviderObject
from payments.providers.errors import UnreadableError
from payments.providers.notifications import Notification
from payments.providers.stripe import fields, objects

T = TypeVar("T")

_REFUND_EVENTS = frozenset(("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"))
KINDS = (
    "payment_intent.created", "payment_intent.processing", "payment_intent.requires_action",
    "payment_intent.amount_capturable_updated", "payment_intent.succeeded", "payment_intent.payment_failed",
    "payment_intent.canceled", *sorted(_REFUND_EVENTS), "charge.dispute.created", "charge.dispute.updated",
    "charge.dispute.closed", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated",
)  # fmt: skip
"""What :func:`read` understands; a list takes twenty types at most."""
_UNCAPTURED = "expired_uncaptured_charge"
"""A hold that ends looks like a refund to Stripe; no money ever moved."""

_ACCOUNT = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_ACCOUNT = 64
_LONGEST_TYPE = 100
_DEEPEST = 100
"""Levels of objects and lists; an event of Stripe's has about ten."""


def from_body(body: bytes) -> Notification:
    """Read the body of a verified delivery. Never raises."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return _unreadable(body, "the body is no JSON that can be read")
    return _from_json(told, body)


def from_list(event: Mapping[str, Any], *, account: str, key_name: str) -> Notification:
    """Read an event of an account's list. Never raises.

    Such an event does not name the account itself.
    """
    return _from_json(event, json.dumps(event, sort_keys=True).encode(), account=account, key_name=key_name)


def attested(intent: Mapping[str, Any], *, account: str, key_name: str, at: datetime) -> Notification:
    """Write the event that would tell how a payment intent stands.

    Its id says that Stripe never sent it.

    Raises:
        UnreadableError: There is no payment intent in it.
    """
    ref, status = fields.get_text(intent, "id", longest=200), fields.get_text(intent, "status")
    event = {
        "id": f"attested_{ref}_{status}"[:255],
        "object": "event",
        "type": f"payment_intent.{status}"[:_LONGEST_TYPE],
        "created": int(at.timestamp()),
        "livemode": fields.get_flag(intent, "livemode"),
        "data": {"object": intent},
    }
    return from_list(event, account=account, key_name=key_name)


def read(notification: Notification) -> Sequence[ProviderObject]:
    """Return the object that an event tells of; empty if not ours.

    As it was at the time of the event.

    Raises:
        UnreadableError: It is our business, and cannot be read.
    """
    if notification.problem or notification.created_at is None:
        raise UnreadableError(notification.problem or "created is missing")
    kind = notification.type
    if not (kind.startswith(("payment_intent.", "charge.dispute.")) or kind in _REFUND_EVENTS):
        return []
    body = fields.get_fields(fields.get_fields(notification.payload, "data"), "object")
    if kind.startswith("payment_intent."):
        if body.get("object") != "payment_intent":
            raise UnreadableError("object is no payment intent")
        return [objects.payment(body, notification.account)]
    if kind.startswith("charge.dispute."):
        if body.get("payment_intent") is None:
            return []  # of a charge that was made without one: not ours
        return [objects.dispute(body, notification.account, as_of=notification.created_at)]
    return [] if body.get("reason") == _UNCAPTURED else [objects.refund(body, notification.account)]


def _from_json(told: Any, body: bytes, *, account: str = "", key_name: str = "") -> Notification:
    if json_text.is_deeper(told, _DEEPEST):
        return _unreadable(body, f"the body is nested deeper than {_DEEPEST}", account, key_name)
    if not isinstance(told, Mapping):
        return _unreadable(body, "the body is no object", account, key_name)
    event = json_text.storable(dict(told))
    problems: list[str] = []

    def take(read: Callable[..., T], name: str, otherwise: T, **more: Any) -> T:
        try:
            return read(event, name, **more)
        except UnreadableError as error:
            problems.append(str(error))
            return otherwise

    return Notification(
        event_id=take(fields.get_text, "id", _digest(body)),
        type=take(fields.get_text, "type", "", longest=_LONGEST_TYPE),
        account=take(_account, "account", account if key_name else _odd_account(event)) or account,
        live=take(fields.get_flag, "livemode", None),
        created_at=take(fields.get_time, "created", None),
        api_version=fields.find_text(event, "api_version", longest=64),
        payload=event,
        object_ref=fields.find_text(fields.find_fields(_data(event), "object"), "id"),
        key_name=key_name,
        problem="; ".join(problems),
    )


def _account(event: Mapping[str, Any], name: str) -> str:
    if event.get(name) in (None, ""):
        return ""
    named = fields.get_text(event, name, longest=_LONGEST_ACCOUNT)
    if not _ACCOUNT.fullmatch(named):
        raise UnreadableError(f"{name} is none")
    return named


def _odd_account(event: Mapping[str, Any]) -> str:
    """Return, as a text, what stands where an account belongs: it is nobody's, and no endpoint's."""
    named = event.get("account")
    return (named if isinstance(named, str) else json.dumps(named))[:_LONGEST_ACCOUNT]


def _data(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return fields.find_fields(event, "data")


def _unreadable(body: bytes, problem: str, account: str = "", key_name: str = "") -> Notification:
    return Notification(
        event_id=_digest(body),
        type="",
        account=account,
        live=None,
        created_at=None,
        api_version="",
        payload={"raw": json_text.storable(body.decode(errors="replace"))},
        key_name=key_name,
        problem=problem,
    )


def _digest(body: bytes) -> str:
    """Return what stands for the id of an event that has none: the same body is the same event."""
    return f"unreadable_{hashlib.sha256(body).hexdigest()}"
