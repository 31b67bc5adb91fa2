"""Idempotency keys: what is kept, for whom, for how long, and what is refused."""

import concurrent.futures
from typing import Any

import pytest
import stripe

from tests.support.sandbox_in_process import DAY, InProcess
from tests.support.sandbox_process import Client, Control, client_of, hold_params, raised, wait_until

KEY: Any = {"idempotency_key": "key-1"}


def create(client: Client, **more: Any) -> Any:
    return client.v1.payment_intents.create(hold_params(**more), KEY)


class TestReplay:
    def test_gives_the_first_answer_again(self, client: Client, control: Control) -> None:
        first = create(client)
        client.v1.payment_intents.capture(first.id)
        again = create(client)
        assert again.last_response.body == first.last_response.body
        assert again.status == "requires_capture"
        headers = again.last_response.headers
        assert headers["Idempotent-Replayed"] == "true"
        assert headers["Original-Request"] == first.last_response.headers["Request-Id"]
        assert headers["Request-Id"] != headers["Original-Request"]
        assert "Idempotent-Replayed" not in first.last_response.headers
        assert len(control.state()["payment_intents"]) == 1
        call = control.call("key-1")
        assert (call["attempts"], call["status"], call["object_id"]) == (2, 200, first.id)

    def test_keeps_declines(self, client: Client, control: Control) -> None:
        for _ in range(2):
            with pytest.raises(stripe.CardError):
                create(client, payment_method="pm_card_chargeDeclined")
        assert len(control.state()["payment_intents"]) == 1

    def test_keeps_refusals_that_the_state_made(self, client: Client) -> None:
        intent = client.v1.payment_intents.create(hold_params(payment_method="pm_card_authenticationRequired"))
        for replayed in (None, "true"):
            with pytest.raises(stripe.InvalidRequestError) as refused:
                client.v1.payment_intents.capture(intent.id, None, KEY)
            assert raised(refused).headers.get("Idempotent-Replayed") == replayed

    def test_does_not_keep_wrong_parameters(self, client: Client) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            create(client, amount=1)
        assert create(client).status == "requires_capture"

    def test_does_not_keep_a_wrong_api_key(self, client: Client, control: Control) -> None:
        with pytest.raises(stripe.AuthenticationError):
            create(client_of(control.url, key="sk_test_wrong"))
        assert create(client).status == "requires_capture"

    def test_is_for_each_account_alone(self, client: Client) -> None:
        connected: Any = {**KEY, "stripe_account": "acct_tours"}
        first = create(client)
        assert client.v1.payment_intents.create(hold_params(), connected).id != first.id

    def test_is_not_for_reading(self, client: Client) -> None:
        intent = client.v1.payment_intents.create(hold_params())
        read: Any = {"headers": {"Idempotency-Key": "key-2"}}
        assert client.v1.payment_intents.retrieve(intent.id, None, read).status == "requires_capture"
        client.v1.payment_intents.capture(intent.id)
        assert client.v1.payment_intents.retrieve(intent.id, None, read).status == "succeeded"


class TestRefusal:
    def test_of_other_parameters(self, client: Client, control: Control) -> None:
        create(client)
        with pytest.raises(stripe.IdempotencyError, match="same parameters they were first used with") as refused:
            create(client, amount=2000)
        assert refused.value.http_status == 400
        assert len(control.state()["payment_intents"]) == 1

    def test_of_another_endpoint(self, client: Client) -> None:
        intent = create(client)
        with pytest.raises(stripe.IdempotencyError, match="same endpoint they were first used for"):
            client.v1.payment_intents.capture(intent.id, None, KEY)
        assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"

    def test_of_keys_that_are_too_long(self, client: Client) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.create(hold_params(), {"idempotency_key": "k" * 256})

    def test_while_the_first_is_under_way(self, client: Client, control: Control) -> None:
        control.fault("POST /v1/payment_intents", "latency", ms=400)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            first = pool.submit(create, client)
            wait_until(lambda: control.call("key-1"))
            with pytest.raises(stripe.APIError, match="another in-progress request") as refused:
                create(client)
            assert refused.value.http_status == 409
            assert raised(refused).headers["Stripe-Should-Retry"] == "true"
            assert create_later(client).id == first.result().id
        assert len(control.state()["payment_intents"]) == 1

    def test_of_all_but_one_of_many_at_once(self, client: Client, control: Control) -> None:
        control.fault("POST /v1/payment_intents", "latency", ms=50, times=-1)
        retrying = stripe.StripeClient(
            client._requestor.api_key or "", base_addresses={"api": control.url}, max_network_retries=3
        )
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            made = [future.result().id for future in [pool.submit(create, retrying) for _ in range(16)]]
        assert len(set(made)) == 1
        assert len(control.state()["payment_intents"]) == 1


class TestTime:
    def test_forgets_after_a_day(self) -> None:
        process = InProcess()
        first = create(process.client)
        process.clock.sleep(DAY - 1)
        assert create(process.client).id == first.id
        process.clock.sleep(1)
        assert create(process.client).id != first.id

    def test_runs_out_for_a_hold(self) -> None:
        process = InProcess()
        intent = create(process.client)
        process.clock.sleep(7 * DAY + 1)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            process.client.v1.payment_intents.capture(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"
        assert raised(refused).error.payment_intent.cancellation_reason == "automatic"

    def test_repeats_exactly_with_the_same_clock_and_ids(self) -> None:
        bodies = []
        for _ in range(2):
            process = InProcess()
            intent = process.client.v1.payment_intents.create(hold_params(), KEY)
            bodies.append((intent.last_response.body, [event.body for event in process.published]))
        assert bodies[0] == bodies[1]


def create_later(client: Client) -> Any:
    """Ask again until the first request with the key is through."""

    def attempt() -> Any:
        try:
            return create(client)
        except stripe.APIError:
            return None

    return wait_until(attempt)
