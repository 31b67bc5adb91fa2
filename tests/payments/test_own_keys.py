"""Operators with a Stripe account of their own: called with its key and no other, and heard by its signature."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from catalogue.models import Slot
from payments import credentials
from payments.models import Command, Payment
from payments.providers import registry
from payments.providers.errors import NotSentError, ProviderError
from tenants.models import Operator
from tests.support import providers, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.environment import VALUES
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

OWN = "acct_own"


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    credentials.forget()
    yield
    credentials.forget()


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.setenv("STRIPE_KAYAKS_API_KEY", "sk_test_of_kayaks")
    monkeypatch.setenv("STRIPE_KAYAKS_WEBHOOK_SECRETS", "whsec_of_kayaks,whsec_older")
    return OperatorFactory.create(account=OWN, account__secrets="STRIPE_KAYAKS")


@pytest.fixture
def heard(settings: Settings) -> Iterator[list[dict[str, str]]]:
    """Be Stripe for a moment; returns the headers of each call."""
    calls: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(404)
            self.end_headers()
            self.wfile.write(
                json.dumps({"error": {"type": "invalid_request_error", "code": "resource_missing"}}).encode()
            )

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    providers.configure(settings, api_base=f"http://127.0.0.1:{server.server_address[1]}")
    registry.get.cache_clear()
    yield calls
    registry.get.cache_clear()
    server.shutdown()
    server.server_close()


def fetch(account: str) -> None:
    with pytest.raises(ProviderError):
        registry.get("stripe").fetch(ref="pi_1", account=account)


class TestCalls:
    def test_of_an_own_account_carry_its_key(self, operator: Operator, heard: list[dict[str, str]]) -> None:
        fetch(OWN)
        assert heard[0]["authorization"] == "Bearer sk_test_of_kayaks"
        assert "stripe-account" not in heard[0]

    def test_of_a_connected_account_carry_the_platforms(self, operator: Operator, heard: list[dict[str, str]]) -> None:
        OperatorFactory.create(account="acct_connected")
        credentials.forget()
        fetch("acct_connected")
        assert heard[0]["authorization"] == f"Bearer {VALUES['STRIPE_API_KEY']}"
        assert heard[0]["stripe-account"] == "acct_connected"

    def test_are_not_made_with_the_platforms_key_in_place_of_a_missing_one(
        self, operator: Operator, heard: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("STRIPE_KAYAKS_API_KEY")
        with pytest.raises(NotSentError, match="STRIPE_KAYAKS_API_KEY is missing"):
            registry.get("stripe").fetch(ref="pi_1", account=OWN)
        assert heard == []

    @pytest.mark.parametrize(
        ("key", "is_live", "base", "why"),
        [
            ("sk_live_of_kayaks", False, "", "is a live key, and this is a test installation"),
            ("rk_live_of_kayaks", False, "https://api.stripe.com", "is a live key, and this is a test installation"),
            ("sk_test_of_kayaks", True, "", "is no live key, and this is a live installation"),
            ("anything", True, "", "is no live key, and this is a live installation"),
            ("sk_live_of_kayaks", True, "http://127.0.0.1:9", "is sent to Stripe alone"),
            ("sk_live_of_kayaks", True, "https://proxy.example.com", "is sent to Stripe alone"),
            ("rk_live_of_kayaks", True, "http://api.stripe.com", "is sent to Stripe alone"),
        ],
    )
    def test_are_not_made_with_a_key_for_elsewhere(
        self, operator: Operator, heard: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch, settings: Settings,
        key: str, is_live: bool, base: str, why: str,
    ) -> None:  # fmt: skip
        monkeypatch.setenv("STRIPE_KAYAKS_API_KEY", key)
        provider = registry.get("stripe")
        providers.configure(
            settings, is_live=is_live, api_base=base
        )  # the provider is made already: it would reach the server of this test
        with pytest.raises(NotSentError, match=f"STRIPE_KAYAKS_API_KEY.* {why}"):
            provider.fetch(ref="pi_1", account=OWN)
        monkeypatch.setenv("STRIPE_API_KEY", key)  # nor with such a one of the platform
        with pytest.raises(NotSentError, match=f"STRIPE_API_KEY.* {why}"):
            provider.fetch(ref="pi_1", account="")
        assert heard == []

    def test_a_reservation_waits_for_the_key(
        self, operator: Operator, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("STRIPE_KAYAKS_API_KEY")
        slot = SlotFactory.create(activity__operator=operator)
        assert Frontend.of(slot).reserve(slot).status_code == 202
        assert "STRIPE_KAYAKS_API_KEY" in Command.objects.get().last_error
        assert sandbox.payment_intents() == []
        end_leases()
        assert Payment.objects.get().provider_account == OWN


class TestDeliveries:
    @pytest.fixture
    def event(self, operator: Operator, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """The event of money that was taken at the own account, which does not name itself."""
        monkeypatch.setenv("STRIPE_KAYAKS_API_KEY", VALUES["STRIPE_API_KEY"])  # the sandbox is of one account
        slot: Slot = SlotFactory.create(activity__operator=operator)
        Frontend.of(slot).reserve(slot, capture_method="automatic")
        found = stripe_events.only(sandbox, "payment_intent.succeeded")
        return {name: value for name, value in found.items() if name != "account"}

    def test_are_taken_with_its_own_secrets(self, event: dict[str, Any]) -> None:
        path = f"/webhooks/stripe/{OWN}"
        assert stripe_events.deliver(event, path=path).status_code == 400
        assert stripe_events.deliver(event, path=path, secret="whsec_older").status_code == 200
        assert (Event.objects.get().account, Payment.objects.get().status) == (OWN, "succeeded")

    def test_do_not_come_to_the_platforms_endpoint(self, event: dict[str, Any]) -> None:
        assert stripe_events.deliver(event, secret="whsec_of_kayaks").status_code == 400
        assert not Event.objects.exists()

    def test_speak_of_no_other_account(self, event: dict[str, Any]) -> None:
        other = event | {"account": "acct_of_somebody_else"}
        answer = stripe_events.deliver(other, path=f"/webhooks/stripe/{OWN}", secret="whsec_of_kayaks")
        assert answer.status_code == 400
        assert not Event.objects.exists()
        assert Payment.objects.get().status != "succeeded"


class TestSecrets:
    @pytest.mark.parametrize("is_live", [True, False])
    def test_that_can_be_guessed_prove_nothing_of_real_money(
        self, operator: Operator, monkeypatch: pytest.MonkeyPatch, settings: Settings, is_live: bool
    ) -> None:
        providers.configure(settings, is_live=is_live)
        random = "whsec_" + "k8Zq3Vw9" * 4
        monkeypatch.setenv("STRIPE_KAYAKS_WEBHOOK_SECRETS", f"whsec_test,, {random},whsec_compose")
        found = registry.get("stripe").webhook_secrets(account=OWN)
        assert found is not None
        assert found.values == ([random] if is_live else ["whsec_test", random, "whsec_compose"])

    def test_that_are_missing_are_none(self, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("STRIPE_KAYAKS_WEBHOOK_SECRETS")
        found = registry.get("stripe").webhook_secrets(account=OWN)
        assert found is not None
        assert found.values == []
