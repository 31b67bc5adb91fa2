"""How we call Stripe: with our keys, our time-outs, no retries of the SDK's own, and what its answers mean."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from pytest_django import Settings

from booking import execution
from payments.models import Command, Payment
from payments.outcome_types import Outcome
from payments.providers import registry
from payments.providers.base import FindsByKey
from payments.providers.errors import NotSentError
from payments.providers.stripe import objects as stripe_objects
from tests.support import providers, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


class TestCalls:
    def test_carry_the_commands_key_and_our_ids(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        command = Command.objects.get()
        assert [call["idempotency_key"] for call in sandbox.state()["calls"]] == [str(command.pk)]
        (intent,) = sandbox.payment_intents()
        assert intent["metadata"] == {"holdfast_payment": str(command.payment_id), "holdfast_command": str(command.pk)}

    @pytest.mark.parametrize("age", [timedelta(), timedelta(days=3), timedelta(days=40)], ids=str)
    def test_what_a_command_of_any_age_has_made_is_found(self, sandbox: Sandbox, age: timedelta) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        key, near = Command.objects.get().idempotency_key, datetime.now(UTC) - age
        provider = registry.get("stripe")
        assert isinstance(provider, FindsByKey)
        found = provider.find(key=key, near=near, account="")
        assert found is not None
        assert [found.ref] == [intent["id"] for intent in sandbox.payment_intents()]
        assert provider.find(key="another", near=near, account="") is None

    def test_are_not_repeated_by_the_sdk(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        sandbox.fault("POST /v1/payment_intents", "error_before", times=5)
        Frontend.of(slot).reserve(slot)
        assert Command.objects.get().attempts == 1
        assert sandbox.payment_intents() == []

    def test_give_up_waiting(self, sandbox: Sandbox, settings: Settings) -> None:
        providers.configure(settings, read_timeout_seconds=1)
        registry.get.cache_clear()
        try:
            slot = SlotFactory.create()
            sandbox.fault("POST /v1/payment_intents", "latency", ms=3_000)
            assert Frontend.of(slot).reserve(slot).status_code == 202
        finally:
            registry.get.cache_clear()
        assert Command.objects.get().last_error.startswith("no answer")

    def test_a_rate_limit_costs_no_attempt(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        sandbox.fault("POST /v1/payment_intents", "rate_limit", times=8)
        Frontend.of(slot).reserve(slot)
        for _ in range(8):
            end_leases()
            execution.execute_due()
        assert Payment.objects.get().status == "on_hold"

    def test_a_refused_key_of_ours_ends_with_a_person(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("STRIPE_API_KEY", "sk_test_wrong")
        registry.get.cache_clear()
        try:
            with pytest.raises(NotSentError):
                registry.get("stripe").fetch(ref="pi_1", account="")
            slot = SlotFactory.create()
            Frontend.of(slot).reserve(slot)
            for _ in range(6):
                end_leases()
                execution.execute_due()
        finally:
            registry.get.cache_clear()
        assert Payment.objects.get().stuck_because.startswith("authorize: no answer in 5 attempts (not sent")

    def test_an_old_key_protects_nothing_so_it_looks_first(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        sandbox.fault("POST /v1/payment_intents", "drop_answer")
        Frontend.of(slot).reserve(slot)
        command = Command.objects.get()
        Command.objects.update(first_sent_at=command.created_at.replace(year=2025))
        end_leases()
        execution.execute_due()
        assert Payment.objects.get().status == "on_hold"
        assert len(sandbox.payment_intents()) == 1

    def test_no_secret_and_no_person_reaches_the_log(self, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG, "holdfast")
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        sandbox.fault("POST /v1/payment_intents", "error_after")
        made = frontend.reserve(slot).json()["reservation"]
        end_leases()
        execution.execute_due()
        frontend.post(f"reservations/{made['id']}/confirm")
        stripe_events.deliver_all(sandbox)
        payment = Payment.objects.get()
        assert payment.status == "succeeded"
        for secret in ("ana@example.com", "Ana Souza", payment.client_secret, frontend.key, "sk_test_sandbox"):
            assert secret not in caplog.text


class TestObjects:
    @pytest.mark.parametrize(
        ("status", "error", "outcome"),
        [
            ("requires_payment_method", None, Outcome.REQUIRES_PAYMENT_METHOD),
            ("requires_payment_method", {"code": "card_declined", "message": "No."}, Outcome.DECLINED),
            ("requires_confirmation", None, Outcome.REQUIRES_PAYMENT_METHOD),
            ("requires_action", None, Outcome.REQUIRES_ACTION),
            ("processing", None, Outcome.PROCESSING),
            ("requires_capture", None, Outcome.HELD),
            ("succeeded", None, Outcome.CAPTURED),
            ("canceled", None, Outcome.CANCELED),
            ("invented_next_year", None, Outcome.UNKNOWN),
        ],
    )
    def test_every_status_has_a_meaning(self, status: str, error: dict[str, str] | None, outcome: Outcome) -> None:
        intent: dict[str, Any] = {"id": "pi_1", "status": status, "amount": 100, "currency": "usd"}
        found = stripe_objects.payment(intent | {"last_payment_error": error}, "")
        assert (found.outcome, found.amount, found.currency) == (outcome, 100, "USD")

    def test_metadata_of_others_is_nobodys(self) -> None:
        intent = {"id": "pi_1", "status": "succeeded", "amount": 1, "currency": "usd"}
        for metadata in ({}, None, {"holdfast_payment": "x"}, {"holdfast_payment": ""}):
            assert stripe_objects.payment(intent | {"metadata": metadata}, "").payment_id is None

    def test_the_sandbox_asks_for_its_key(self, sandbox: Sandbox) -> None:
        assert requests.get(f"{sandbox.url}/v1/payment_intents", auth=("sk_wrong", ""), timeout=5).status_code == 401
