"""Health: live is live, ready is ready to serve, and the status tells of everything; Prometheus gets five gauges."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from catalogue.models import Slot
from common.bounded_call import BoundedCall
from payments.models import ProviderThrottle
from reconciliation.models import Discrepancy
from sweeps import health, registry
from sweeps.models import SweepRun
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

CHECKS = {"database", "migrations", "worker", "sweeps", "promises", "providers", "broker", "cache"}


def ask(path: str, **headers: str) -> tuple[int, Any]:
    answer = Client().get(path, headers=headers)
    return answer.status_code, answer.json() if "json" in answer["Content-Type"] else answer.content.decode()


@pytest.fixture
def swept(sandbox: Sandbox) -> None:
    for name in registry.SWEEPS:
        registry.run(name)


@contextmanager
def database_that_hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that takes connections and says nothing, as one does that was stopped, or that a network has lost."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with monkeypatch.context() as patch:
            patch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
            patch.setitem(connection.settings_dict, "PORT", str(silent.getsockname()[1]))
            patch.setattr(health, "_asking", BoundedCall(health._ask_database, seconds=0.2))
            yield


class TestLive:
    def test_asks_no_database_and_no_host(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(0):
            status, body = ask("/health", host="10.1.2.3:8000")
        assert (status, body["status"]) == (200, "ok")


class TestReady:
    def test_needs_no_worker(self) -> None:
        status, body = ask("/health/ready", host="10.1.2.3")
        assert (status, body) == (
            200, {"status": "ok", "checks": {"database": {"ok": True}, "migrations": {"ok": True}}}
        )  # fmt: skip

    def test_is_not_over_plain_http_sent_elsewhere(self, settings: Settings) -> None:
        settings.SECURE_SSL_REDIRECT = True
        assert ask("/health/ready")[0] == 200
        assert Client().get("/api/v1/slots").status_code == 301

    def test_a_migration_of_later_code_is_no_fault(self) -> None:
        recorder = MigrationRecorder(connection)
        recorder.record_applied("booking", "9999_of_tomorrow")
        try:
            assert ask("/health/ready")[0] == 200
        finally:
            recorder.record_unapplied("booking", "9999_of_tomorrow")

    def test_a_missing_migration_is_one(self) -> None:
        recorder = MigrationRecorder(connection)
        recorder.record_unapplied("booking", "0001_initial")
        try:
            status, body = ask("/health/ready")
        finally:
            recorder.record_applied("booking", "0001_initial")
        assert (status, body["checks"]["migrations"]["reason"]) == (503, "1 migrations are not applied")

    def test_does_not_wait_for_a_database_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with database_that_hangs(monkeypatch):
            for _ in range(2):
                status, body = ask("/health/ready")
                assert (status, body["checks"]["database"]["reason"]) == (503, "the database does not answer")
            running = health._asking._running
            assert running is not None
            assert not running.done(), "both have waited for one question, and not to its end"
            assert ask("/health")[0] == 200


class TestStatus:
    def test_tells_of_everything(self, swept: None) -> None:
        status, body = ask("/health/status", host="10.1.2.3")
        assert status == 200, body
        assert set(body["checks"]) == CHECKS
        assert all(check["ok"] for check in body["checks"].values())

    def test_before_a_worker_has_run(self) -> None:
        status, body = ask("/health/status")
        assert status == 503
        assert body["checks"]["worker"] == {"ok": False, "reason": "no worker has run a sweep yet"}
        assert body["checks"]["promises"] == {"ok": False, "reason": "they have not been checked yet"}

    def test_a_late_sweep(self, swept: None) -> None:
        SweepRun.objects.filter(name="send_commands").update(finished_at=Now() - timedelta(minutes=10))
        status, body = ask("/health/status")
        assert (status, body["checks"]["sweeps"]["overdue"]) == (503, ["send_commands"])
        assert ask("/health/ready")[0] == 200

    def test_no_worker_alive(self, swept: None) -> None:
        SweepRun.objects.update(started_at=Now() - timedelta(minutes=10))
        assert ask("/health/status")[1]["checks"]["worker"]["ok"] is False

    def test_a_provider_that_refuses(self, swept: None) -> None:
        assert ProviderThrottle.objects.update(paused_until=Now() + timedelta(minutes=1)) == 1
        assert ask("/health/status")[1]["checks"]["providers"] == {"ok": False, "accounts_paused": 1}

    def test_redis_away(self, swept: None, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        status, body = ask("/health/status")
        assert (status, body["checks"]["cache"]) == (
            503, {"ok": False, "kind": "redis", "reason": "Redis does not answer"}
        )  # fmt: skip
        assert ask("/health/ready")[0] == 200

    def test_without_a_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with database_that_hangs(monkeypatch):
            status, body = ask("/health/status")
        assert (status, set(body["checks"])) == (503, {"database", "broker", "cache"})


class TestMetrics:
    def test_are_for_who_has_the_token(self, settings: Settings) -> None:
        assert ask("/metrics")[0] == 404
        assert ask("/metrics", authorization="Bearer ")[0] == 404
        settings.METRICS_TOKEN = "known"
        assert ask("/metrics", authorization="Bearer guessed")[0] == 404
        assert ask("/metrics", authorization="Bearer known", host="10.1.2.3")[0] == 200

    def test_are_what_waits_for_somebody(self, sandbox: Sandbox, settings: Settings) -> None:
        settings.METRICS_TOKEN = "known"
        for name in registry.SWEEPS:
            registry.run(name)
        assert set(gauges().values()) == {0.0}
        slot: Slot = SlotFactory.create()
        sandbox.fault("POST /v1/payment_intents", "error_before")
        Frontend.of(slot).reserve(slot)
        SweepRun.objects.filter(name="send_mails").update(finished_at=Now() - timedelta(minutes=10))
        SweepRun.objects.filter(name="verify").update(handled=2)
        Discrepancy.objects.create(kind="stuck", provider="stripe", subject="x", summary="", opened_at=Now())
        assert gauges() == {
            "holdfast_sweeps_overdue": 1.0,
            "holdfast_commands_open": 1.0,
            "holdfast_events_open": 0.0,
            "holdfast_discrepancies_open": 1.0,
            "holdfast_promises_broken": 2.0,
        }
        assert ask("/health/status")[1]["checks"]["promises"]["broken"] == 2


def gauges() -> dict[str, float]:
    """Read the gauges as Prometheus does."""
    lines = ask("/metrics", authorization="Bearer known")[1].splitlines()
    return {name: float(value) for name, value in (line.split() for line in lines if not line.startswith("#"))}
