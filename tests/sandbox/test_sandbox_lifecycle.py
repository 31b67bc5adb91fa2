"""Payment intents through the official client, after they are made: captured, cancelled, expired, listed."""

from typing import Any

import pytest
import requests
import stripe

from tests.support.sandbox_process import (
    API_KEY,
    Client,
    Control,
    charge,
    client_of,
    hold,
    hold_params,
    raised,
    types_of,
)


class TestCapture:
    def test_takes_all(self, client: Client, control: Control) -> None:
        intent = client.v1.payment_intents.capture(hold(client).id, {"expand": ["latest_charge"]})
        assert (intent.status, intent.amount_received, intent.amount_capturable) == ("succeeded", 1000, 0)
        taken = intent.latest_charge
        assert (taken.captured, taken.amount_captured, taken.amount_refunded) == (True, 1000, 0)
        assert types_of(control)[-2:] == ["charge.captured", "payment_intent.succeeded"]

    def test_takes_a_part_and_lets_the_rest_go(self, client: Client, control: Control) -> None:
        intent = client.v1.payment_intents.capture(hold(client).id, {"amount_to_capture": 400})
        assert (intent.status, intent.amount_received) == ("succeeded", 400)
        taken = client.v1.charges.retrieve(str(intent.latest_charge))
        assert (taken.amount_captured, taken.amount_refunded, taken.refunded) == (400, 600, False)
        assert control.state()["payment_intents"][0]["amount_refunded"] == 0

    def test_refuses_more_than_is_held(self, client: Client) -> None:
        intent = hold(client)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1001})
        assert (refused.value.http_status, refused.value.code) == (400, "amount_too_large")
        assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"

    def test_refuses_every_other_state(self, client: Client) -> None:
        captured = client.v1.payment_intents.capture(hold(client).id)
        canceled = client.v1.payment_intents.cancel(hold(client).id)
        waiting = client.v1.payment_intents.create(hold_params(confirm=False))
        for intent in (captured, canceled, waiting):
            with pytest.raises(stripe.InvalidRequestError) as refused:
                client.v1.payment_intents.capture(intent.id)
            assert refused.value.code == "payment_intent_unexpected_state"
            assert raised(refused).error.payment_intent.status == intent.status

    def test_does_not_know_strangers(self, client: Client) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.capture("pi_nobody")
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


class TestCancel:
    def test_lets_held_money_go(self, client: Client, control: Control) -> None:
        held = hold(client)
        intent = client.v1.payment_intents.cancel(held.id, {"cancellation_reason": "abandoned"})
        assert (intent.status, intent.cancellation_reason, intent.amount_capturable) == ("canceled", "abandoned", 0)
        assert intent.canceled_at is not None
        released = client.v1.charges.retrieve(str(held.latest_charge))
        assert (released.captured, released.refunded, released.amount_refunded) == (False, True, 1000)
        refund = client.v1.refunds.list({"charge": released.id}).data[0]
        assert refund.balance_transaction is None
        assert types_of(control)[-2:] == ["charge.refunded", "payment_intent.canceled"]
        assert control.state()["payment_intents"][0]["amount_refunded"] == 0

    def test_is_refused_once_the_money_is_taken(self, client: Client) -> None:
        intent = charge(client)
        with pytest.raises(stripe.InvalidRequestError, match="You cannot cancel this PaymentIntent") as refused:
            client.v1.payment_intents.cancel(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"
        assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"

    def test_cannot_be_undone(self, client: Client) -> None:
        intent = client.v1.payment_intents.cancel(hold(client, confirm=False).id)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.confirm(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"


class TestExpire:
    def test_is_a_cancellation_by_the_bank(self, client: Client, control: Control) -> None:
        intent = hold(client)
        control.post(f"payment_intents/{intent.id}/expire")
        expired = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
        assert (expired.status, expired.cancellation_reason) == ("canceled", "automatic")
        assert (expired.latest_charge.captured, expired.latest_charge.refunded) == (False, True)
        refund = client.v1.refunds.list({"payment_intent": intent.id}).data[0]
        assert (refund.reason, refund.status) == ("expired_uncaptured_charge", "succeeded")
        assert refund.balance_transaction is None
        assert types_of(control)[-2:] == ["charge.expired", "payment_intent.canceled"]
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.capture(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"


class TestUpdate:
    def test_changes_metadata_key_by_key(self, client: Client) -> None:
        intent = hold(client, metadata={"a": "1", "b": "2"})
        changed = client.v1.payment_intents.update(intent.id, {"metadata": {"a": "", "c": "3"}, "description": "Kayak"})
        assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
        assert changed.description == "Kayak"

    def test_changes_the_amount_only_before_payment(self, client: Client) -> None:
        intent = client.v1.payment_intents.create({"amount": 1000, "currency": "eur"})
        assert client.v1.payment_intents.update(intent.id, {"amount": 1200}).amount == 1200
        paid = charge(client)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.update(paid.id, {"amount": 1200})
        assert refused.value.code == "payment_intent_unexpected_state"


class TestList:
    def test_pages_from_the_newest(self, client: Client) -> None:
        ids = [hold(client, customer="cus_a" if number % 2 else "cus_b").id for number in range(5)][::-1]
        first = client.v1.payment_intents.list({"limit": 2})
        assert ([intent.id for intent in first.data], first.has_more) == (ids[:2], True)
        second = client.v1.payment_intents.list({"limit": 3, "starting_after": ids[1]})
        assert ([intent.id for intent in second.data], second.has_more) == (ids[2:], False)
        assert [intent.id for intent in first.auto_paging_iter()] == ids
        assert [intent.id for intent in client.v1.payment_intents.list({"customer": "cus_a"}).data] == ids[1::2]
        back = client.v1.payment_intents.list({"limit": 2, "ending_before": ids[3]})
        assert ([intent.id for intent in back.data], back.has_more) == (ids[1:3], True)

    def test_filters_by_time(self, client: Client) -> None:
        intent = hold(client)
        assert client.v1.payment_intents.list({"created": {"gte": intent.created}}).data
        assert not client.v1.payment_intents.list({"created": {"gt": intent.created + 60}}).data
        assert not client.v1.payment_intents.list({"created": {"lt": intent.created}}).data

    def test_refuses_strangers_and_too_much(self, client: Client) -> None:
        wrong: list[Any] = [{"limit": 101}, {"starting_after": "pi_nobody"}, {"colour": "blue"}]
        for params in wrong:
            with pytest.raises(stripe.InvalidRequestError):
                client.v1.payment_intents.list(params)


class TestConnect:
    def test_keeps_accounts_apart(self, client: Client, control: Control) -> None:
        options: Any = {"stripe_account": "acct_tours"}
        intent = client.v1.payment_intents.create(hold_params(), options)
        assert client.v1.payment_intents.retrieve(intent.id, None, options).id == intent.id
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.retrieve(intent.id)
        assert refused.value.http_status == 404
        assert client.v1.events.list().data == []
        events = client.v1.events.list(None, options).data
        assert {event.account for event in events} == {"acct_tours"}
        control.post(f"payment_intents/{intent.id}/expire")
        assert client.v1.payment_intents.retrieve(intent.id, None, options).status == "canceled"


class TestAuthorization:
    @pytest.mark.parametrize("key", ["sk_test_wrong", "sk_live_x"])
    def test_refuses_a_wrong_key(self, control: Control, key: str) -> None:
        with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided") as refused:
            hold(client_of(control.url, key=key))
        assert refused.value.http_status == 401

    def test_refuses_no_key(self, control: Control) -> None:
        answer = requests.get(f"{control.url}/v1/charges", timeout=5)
        assert answer.status_code == 401
        assert answer.json()["error"]["message"].startswith("You did not provide an API key.")
        assert answer.headers["Request-Id"].startswith("req_")

    def test_takes_basic_authentication_and_plain_forms(self, control: Control) -> None:
        form = (
            "amount=1000&currency=eur&confirm=true&payment_method=pm_card_visa&metadata[a%20b]=c%26d"
            "&payment_method_types[]=card&payment_method_types[]=link&expand[]=latest_charge"
        )
        answer = requests.post(f"{control.url}/v1/payment_intents", form, auth=(API_KEY, ""), timeout=5)
        intent = answer.json()
        assert (answer.status_code, intent["status"]) == (200, "succeeded")
        assert intent["metadata"] == {"a b": "c&d"}
        assert intent["payment_method_types"] == ["card", "link"]
        assert intent["latest_charge"]["object"] == "charge"
        assert requests.get(f"{control.url}/v1/charges", auth=("sk_test_wrong", ""), timeout=5).status_code == 401

    def test_does_not_know_other_paths(self, client: Client) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL") as refused:
            client.v1.customers.create({"name": "Ada"})
        assert refused.value.http_status == 404
