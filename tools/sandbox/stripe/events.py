"""Events: an immutable snapshot of an object at each change, published in the order of the changes."""

import copy
from typing import Any

from tools.sandbox.form import Params
from tools.sandbox.stripe import lists, params
from tools.sandbox.stripe.account import Account
from tools.sandbox.stripe.objects import API_VERSION, EventRecord, StripeObject

LIST_PARAMS = frozenset({*lists.PARAMS, "created", "delivery_success", "type", "types"})


def emit(account: Account, kind: str, subject: StripeObject) -> EventRecord:
    """Record that something happened to an object, and publish it."""
    body: dict[str, Any] = {
        "id": account.ids.new("evt_"),
        "object": "event",
        "api_version": API_VERSION,
        "created": account.timestamp(),
        "data": {"object": copy.deepcopy(subject)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {
            "id": account.caller.request_id,
            "idempotency_key": account.caller.idempotency_key,
        },
        "type": kind,
    }
    if account.id is not None:
        body["account"] = account.id
    record = EventRecord(body)
    account.events[record.id] = record
    account.publish(account, record)
    return record


def retrieve(account: Account, event_id: str) -> StripeObject:
    """Return one event. Raises: ResourceMissing."""
    return account.get_event(event_id).rendered()


def list_events(account: Account, given: Params) -> StripeObject:
    """Return a page of events, the newest first, of the types and the delivery success asked for."""
    params.check_known(given, LIST_PARAMS)
    types = params.find_list(given, "types")
    kind = params.find_string(given, "type")
    delivered = params.find_boolean(given, "delivery_success")
    created = lists.created_filter(given)

    def matches(record: EventRecord) -> bool:
        body = record.body
        return (
            (not types or body["type"] in types)
            and (kind is None or lists.matches_type(body["type"], kind))
            and (delivered is None or record.delivered == delivered)
            and created(body)
        )

    return lists.page(
        account.events.values(),
        given,
        matches=matches,
        identify=lambda record: record.id,
        render=EventRecord.rendered,
        kind="event",
        url="/v1/events",
    )
