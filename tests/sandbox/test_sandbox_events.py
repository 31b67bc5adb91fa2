"""Events as the API lists them."""

from typing import Any

import pytest
import stripe

from tests.support.sandbox_process import Client, Control, charge, hold


class TestEvents:
    def test_are_snapshots(self, client: Client) -> None:
        intent = hold(client)
        client.v1.payment_intents.capture(intent.id)
        held = client.v1.events.list({"type": "payment_intent.amount_capturable_updated"}).data[0]
        assert held.data.object["status"] == "requires_capture"
        assert client.v1.events.retrieve(held.id).data.object["amount_capturable"] == 1000

    def test_are_listed_by_type(self, client: Client) -> None:
        hold(client)
        charge(client)
        wanted: Any = ["payment_intent.succeeded", "payment_intent.created"]
        listed = client.v1.events.list({"types": wanted}).data
        assert [event.type for event in listed] == [wanted[0], wanted[1], wanted[1]]
        assert {event.type for event in client.v1.events.list({"type": "charge.*"}).data} == {"charge.succeeded"}

    def test_are_paged_in_both_directions(self, client: Client, control: Control) -> None:
        for _ in range(4):
            hold(client)
        oldest_first = [event["id"] for event in control.state()["events"]]
        assert [event.id for event in client.v1.events.list({"limit": 5}).auto_paging_iter()] == oldest_first[::-1]
        # Backwards from a known event, in the order in which things happened: how missed events are recovered.
        since = client.v1.events.list({"limit": 5, "ending_before": oldest_first[0]})
        assert [event.id for event in since.auto_paging_iter()] == oldest_first[1:]

    def test_are_listed_by_time(self, client: Client) -> None:
        created = hold(client).created
        assert len(client.v1.events.list({"created": {"gt": created - 1}}).data) == 3
        assert client.v1.events.list({"created": {"gt": created + 60}}).data == []

    @pytest.mark.parametrize("wrong", [{"delivery_success": "perhaps"}, {"created": {"near": 1}}, {"object": "pi_1"}])
    def test_refuse_other_filters(self, client: Client, wrong: Any) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.events.list(wrong)

    def test_are_not_made_up(self, client: Client) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.events.retrieve("evt_nobody")
        assert refused.value.http_status == 404
