"""Rate limits: per API client, per address without one, in one place for all processes."""

import json
import logging
from collections.abc import Callable

import pytest
from django.db import connection
from pytest_django import Settings

from sweeps import registry as sweeps
from tenants import rate_limits
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory, make_client
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def three_a_minute(settings: Settings) -> None:
    settings.API_RATE = "3/min"
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE tenants_requestcount")  # no model stands for it, so nobody else empties it


class TestLimit:
    def test_is_each_clients_own(self) -> None:
        operator = OperatorFactory.create()
        first, second = (Frontend(make_client(operator)[1]) for _ in range(2))
        assert [first.get("slots").status_code for _ in range(4)] == [200, 200, 200, 429]
        assert second.get("slots").status_code == 200
        refused = first.get("slots")
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert refused.json()["error"]["code"] == "rate_limited"
        assert 1 <= int(refused["Retry-After"]) <= 60

    def test_refused_requests_leave_the_key_free(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        for _ in range(3):
            frontend.get("slots")
        assert frontend.reserve(slot, key="mine").status_code == 429
        with connection.cursor() as cursor:
            cursor.execute("UPDATE tenants_requestcount SET ends_at = now()")
        assert frontend.reserve(slot, key="mine").status_code == 201

    @pytest.mark.parametrize("stranger", [lambda: Frontend(""), lambda: Frontend("hf_guessed")])
    def test_is_per_address_for_who_has_no_key(self, stranger: Callable[[], Frontend]) -> None:
        assert [stranger().get("slots").status_code for _ in range(4)] == [401, 401, 401, 429]
        other = stranger()
        other.http.defaults["REMOTE_ADDR"] = "192.0.2.7"
        assert other.get("slots").status_code == 401

    def test_holds_across_processes(self) -> None:
        counted = race([lambda: rate_limits.count("client:x")] * 10)
        assert len([wait for wait in counted if wait is None]) == 3

    def test_is_forgotten_in_the_end(self) -> None:
        rate_limits.count("client:x")
        assert sweeps.run("forget_request_counts") == 0
        with connection.cursor() as cursor:
            cursor.execute("UPDATE tenants_requestcount SET ends_at = now() - interval '2 hours'")
        assert sweeps.run("forget_request_counts") == 1

    @pytest.mark.parametrize(
        ("text", "requests", "seconds"), [("5/s", 5, 1), ("600/min", 600, 60), ("9/hour", 9, 3600), ("1/d", 1, 86_400)]
    )
    def test_is_read_as_written(self, text: str, requests: int, seconds: int) -> None:
        assert rate_limits.Rate.of(text) == rate_limits.Rate(requests, seconds)


class TestRequestLog:
    def test_tells_what_was_asked_and_by_whom_and_no_secret(
        self, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "holdfast.requests")
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        frontend.reserve(slot)
        frontend.get("reservations", cursor="ana@example.com")
        (made, _) = [record for record in caplog.records if record.name == "holdfast.requests"]
        told = vars(made)
        assert (told["method"], told["path"], told["status"]) == ("POST", "/api/v1/reservations", 201)
        assert (told["client"], told["operator"]) == ("web", slot.activity.operator.slug)
        assert told["ms"] > 0
        lines = json.dumps([vars(record) for record in caplog.records], default=str)
        for secret in (frontend.key, "ana@example.com", "Ana Souza", "pm_card_visa", "whsec_"):
            assert secret not in lines


class TestCors:
    def test_lets_named_origins_call_the_api_only(self, settings: Settings) -> None:
        settings.CORS_ALLOWED_ORIGINS = ["https://shop.example.com"]
        http = Frontend("").http
        asked = {"Origin": "https://shop.example.com", "Access-Control-Request-Method": "POST"}
        answer = http.options("/api/v1/reservations", headers=asked)
        assert answer["Access-Control-Allow-Origin"] == "https://shop.example.com"
        assert "idempotency-key" in answer["Access-Control-Allow-Headers"]
        for path, origin in (("/webhooks/stripe", asked["Origin"]), ("/api/v1/slots", "https://evil.example.com")):
            other = http.options(path, headers=asked | {"Origin": origin})
            assert "Access-Control-Allow-Origin" not in other
