"""Faults: each does what it says, where it matches, as often as told, and nothing more."""

import time
from typing import Any

import pytest
import stripe

from tests.support.sandbox_process import Client, Control, charge, client_of, hold, hold_params, raised

CREATE = "POST /v1/payment_intents"
CAPTURE = "POST /v1/payment_intents/*/capture"
KEY: Any = {"idempotency_key": "key-1"}


def create(client: Client) -> Any:
    return client.v1.payment_intents.create(hold_params(), KEY)


def intents(control: Control) -> Any:
    return control.state()["payment_intents"]


class TestLatency:
    def test_waits_and_goes_on(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "latency", ms=150)
        started = time.monotonic()
        assert create(client).status == "requires_capture"
        assert time.monotonic() - started >= 0.15

    def test_goes_on_without_the_one_who_asked(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "latency", ms=300)
        hasty = client_of(control.url, http_client=stripe.RequestsClient(timeout=0.05))
        with pytest.raises(stripe.APIConnectionError):
            create(hasty)
        retrying = stripe.StripeClient(
            client._requestor.api_key or "", base_addresses={"api": control.url}, max_network_retries=3
        )
        assert create(retrying).status == "requires_capture"
        assert len(intents(control)) == 1

    def test_adds_to_another_fault(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "latency", ms=100)
        control.fault(CREATE, "error_after")
        started = time.monotonic()
        with pytest.raises(stripe.APIError):
            create(client)
        assert time.monotonic() - started >= 0.1


class TestErrorBefore:
    def test_has_no_effect_and_is_not_kept(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "error_before")
        with pytest.raises(stripe.APIError) as failed:
            create(client)
        assert failed.value.http_status == 500
        assert intents(control) == []
        assert control.state()["events"] == []
        assert create(client).status == "requires_capture"


class TestErrorAfter:
    def test_has_its_effect_and_is_kept(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "error_after")
        with pytest.raises(stripe.APIError):
            create(client)
        assert [intent["status"] for intent in intents(control)] == ["requires_capture"]
        assert len(control.state()["events"]) == 3
        with pytest.raises(stripe.APIError) as replayed:
            create(client)
        assert replayed.value.http_status == 500
        assert raised(replayed).headers["Idempotent-Replayed"] == "true"
        call = control.call("key-1")
        assert (call["attempts"], call["status"], call["object_id"]) == (2, 500, intents(control)[0]["id"])
        assert len(intents(control)) == 1

    def test_waits_for_a_request_that_has_an_effect(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "error_after")
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.create(hold_params(amount=1))
        assert len(control.state()["faults"]) == 1
        with pytest.raises(stripe.APIError):
            create(client)
        assert control.state()["faults"] == []


class TestDropAnswer:
    def test_has_its_effect_and_closes_the_connection(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "drop_answer", ms=20)
        with pytest.raises(stripe.APIConnectionError):
            create(client)
        made = intents(control)
        assert [intent["status"] for intent in made] == ["requires_capture"]
        again = create(client)
        assert again.id == made[0]["id"]
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        call = control.call("key-1")
        assert (call["attempts"], call["dropped"]) == (2, 1)

    def test_can_happen_to_replays_too(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "drop_answer", times=2)
        for _ in range(2):
            with pytest.raises(stripe.APIConnectionError):
                create(client)
        assert create(client).id == intents(control)[0]["id"]


class TestRateLimit:
    def test_refuses_before_anything(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "rate_limit", times=2)
        for _ in range(2):
            with pytest.raises(stripe.RateLimitError) as refused:
                create(client)
            assert refused.value.http_status == 429
        assert intents(control) == []
        assert create(client).status == "requires_capture"


class TestMatching:
    def test_is_exact(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "error_before", times=None)
        control.fault("GET /v1/payment_intents", "error_before", times=None)
        with pytest.raises(stripe.APIError):
            create(client)
        with pytest.raises(stripe.APIError):
            client.v1.payment_intents.list()
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.retrieve("pi_nobody")
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.capture("pi_nobody")

    def test_takes_a_star_for_one_segment(self, client: Client, control: Control) -> None:
        control.fault(CAPTURE, "error_before")
        intent = hold(client)
        assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
        with pytest.raises(stripe.APIError):
            client.v1.payment_intents.capture(intent.id)
        assert client.v1.payment_intents.capture(intent.id).status == "succeeded"

    def test_counts_down(self, client: Client, control: Control) -> None:
        control.fault(CREATE, "error_before", times=2)
        control.fault(CREATE, "rate_limit", times=-1)
        for left in (1, 0):
            with pytest.raises(stripe.APIError):
                create(client)
            assert [fault["times"] for fault in control.get("faults")["faults"]] == [left, None][not left :]
        for _ in range(3):
            with pytest.raises(stripe.RateLimitError):
                create(client)
        control.post("reset")
        assert charge(client).status == "succeeded"

    @pytest.mark.parametrize(
        "wrong",
        [
            b"not json",
            [],
            {"effect": "latency"},
            {"match": CREATE},
            {"match": CREATE, "effect": "explode"},
            {"match": "/v1/payment_intents", "effect": "latency"},
            {"match": "POST /_sandbox/reset", "effect": "latency"},
            {"match": CREATE, "effect": "latency", "times": 0},
            {"match": CREATE, "effect": "latency", "times": "often"},
            {"match": CREATE, "effect": "latency", "ms": -1},
            {"match": CREATE, "effect": "latency", "ms": True},
            {"match": CREATE, "effect": "latency", "after": 3},
        ],
    )
    def test_refuses_what_makes_no_sense(self, control: Control, wrong: Any) -> None:
        status, answer = control.send("POST", "faults", wrong)
        assert status == 400
        assert answer["error"]["message"]
        assert control.get("faults") == {"faults": []}
