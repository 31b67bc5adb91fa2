"""The objects' shapes, held against Stripe's own sample objects."""

import json
import pathlib
from typing import Any

import pytest
import stripe

from tests.sandbox.running import Client, charge, hold, raised

FIXTURES = json.loads((pathlib.Path(__file__).parent / "fixtures" / "stripe.json").read_text())
# An event is about whatever object, and metadata is whatever the caller gave.
OPAQUE = {"event.data.object", "payment_method.metadata"}


def missing_from(sample: Any, found: Any, path: str) -> list[str]:
    """Return what the sample has and the object lacks, or has as another type; a null fits everything."""
    if sample is None or found is None or path in OPAQUE:
        return []
    if isinstance(sample, dict):
        if not isinstance(found, dict):
            return [f"{path} is no object"]
        lacking = [f"{path}.{name}" for name in sample if name not in found]
        shared = [name for name in sample if name in found]
        return lacking + [
            fault for name in shared for fault in missing_from(sample[name], found[name], f"{path}.{name}")
        ]
    return [] if type(sample) is type(found) else [f"{path} is a {type(found).__name__}"]


def objects(client: Client) -> dict[str, list[Any]]:
    """Return objects of every kind, in as many states as there are."""
    taken = charge(client)
    held = hold(client)
    asked = hold(client, payment_method="pm_card_authenticationRequired")
    canceled = client.v1.payment_intents.cancel(hold(client).id)
    with pytest.raises(stripe.CardError) as refused:
        hold(client, payment_method="pm_card_chargeDeclined")
    declined = client.v1.payment_intents.retrieve(raised(refused).error.payment_intent.id)
    refund = client.v1.refunds.create({"payment_intent": taken.id, "amount": 100})
    return {
        "payment_intent": [taken, held, asked, canceled, declined],
        "charge": client.v1.charges.list().data,
        "refund": [refund, *client.v1.refunds.list().data],
        "event": client.v1.events.list({"limit": 100}).data,
        "payment_method": [client.v1.payment_methods.retrieve(str(taken.payment_method))],
        "balance_transaction": client.v1.balance_transactions.list().data,
    }


@pytest.mark.parametrize(
    "kind", ["payment_intent", "charge", "refund", "event", "payment_method", "balance_transaction"]
)
def test_objects_have_all_of_stripes_fields(client: Client, kind: str) -> None:
    found = objects(client)[kind]
    assert found
    for each in found:
        assert missing_from(FIXTURES[kind], each.to_dict(), kind) == []


def test_events_carry_whole_objects(client: Client) -> None:
    objects(client)
    for event in client.v1.events.list({"limit": 100}).data:
        subject = event.to_dict()["data"]["object"]
        assert missing_from(FIXTURES[subject["object"]], subject, subject["object"]) == []


def test_missing_fields_are_noticed() -> None:
    sample = {"a": 1, "b": {"c": None, "d": "x"}}
    assert missing_from(sample, {"a": 1, "b": {"c": 1}}, "o") == ["o.b.d"]
    assert missing_from(sample, {"a": "1", "b": {"c": 1, "d": "y"}}, "o") == ["o.a is a str"]
    assert missing_from(sample, {"a": 2, "b": None}, "o") == []
