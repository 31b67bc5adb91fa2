"""The objects' shapes, held against Stripe's own sample objects."""

from typing import Any

import pytest
import stripe

from tests.sandbox.shapes import FIXTURES, missing_from
from tests.support.sandbox_process import Client, charge, hold, raised


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
