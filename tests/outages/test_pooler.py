"""PgBouncer in transaction mode: what would break there ends the start with a sentence; all else works through it."""

import io
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from booking.models import Reservation
from common import connecting
from idempotency.models import IdempotencyKey
from notifications.models import Mail
from payments.models import Payment
from reconciliation import discrepancies
from sweeps import registry
from tests.support import promises, servers, services, stripe_events
from tests.support.aging import end_leases, let_checks_be_due, run_out
from tests.support.api import Frontend
from tests.support.environment import ROOT
from tests.support.factories import SlotFactory
from tests.support.pooling import TIME_OUTS, led_through, url_through
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pooled(role_with_time_outs: None, sandbox: Sandbox) -> Iterator[services.Program]:
    """This process's own connections lead through a PgBouncer of one connection to the server for each two of ours."""
    with services.pgbouncer(pool_size=2) as pooler, led_through(pooler, prepare_threshold=None, options=False):
        yield pooler


class TestStart:
    def test_says_what_to_do_where_options_are_refused(self) -> None:
        with services.pgbouncer(ignored="") as pooler, led_through(pooler):
            (problem,) = connecting.problems()
        assert "DATABASE_STARTUP_OPTIONS=false" in problem
        assert 'ALTER ROLE "holdfast" SET lock_timeout = 3000;' in problem

    def test_says_what_to_do_where_options_are_dropped(self) -> None:
        with services.pgbouncer() as pooler, led_through(pooler):
            (problem,) = connecting.problems()
            readiness = Client().get("/health/ready")
        assert readiness.status_code == 503
        assert readiness.json()["checks"]["database"]["reason"] == problem
        assert problem.startswith("lock_timeout, statement_timeout, idle_in_transaction_session_timeout of")
        assert 'ALTER ROLE "holdfast" SET statement_timeout = 30000;' in problem

    def test_says_what_to_do_where_prepared_statements_are_lost(
        self, role_with_time_outs: None, settings: Settings
    ) -> None:
        with services.pgbouncer() as pooler, led_through(pooler):
            (problem,) = connecting.problems()
            assert "DATABASE_PREPARE=false" in problem
            with pytest.raises(CommandError, match="DATABASE_PREPARE=false"):
                call_command("worker")
            settings.DATABASE_PREPARE = False
            assert connecting.problems() == []

    def test_ends_the_web_server(self, role_with_time_outs: None) -> None:
        with services.pgbouncer() as pooler:
            ended = subprocess.run(
                [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "config.wsgi"],
                cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
                env=servers.environment_of(DATABASE_URL=url_through(pooler), PORT=str(services.free_port())),
            )  # fmt: skip
        assert ended.returncode != 0
        assert "DATABASE_PREPARE=false" in ended.stderr

    def test_is_as_ever_without_a_pooler_and_without_a_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert connecting.problems() == []
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", str(services.free_port()))
        assert connecting.problems() == []


class TestSweeps:
    def test_each_does_its_work(self, pooled: services.Program, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=20)
        frontend = Frontend.of(slot)
        confirmed, expiring, kept = (frontend.reserve(slot).json()["reservation"]["id"] for _ in range(3))
        frontend.post(f"reservations/{confirmed}/confirm")
        sandbox.fault("POST /v1/payment_intents", "error_after")
        assert frontend.reserve(slot).status_code == 202
        stuck = Payment.objects.get(managed_id=kept)
        Payment.objects.filter(pk=stuck.pk).update(stuck_at=stuck.created_at, stuck_because="nobody knows")
        run_out(expiring)
        end_leases()
        let_checks_be_due()
        IdempotencyKey.objects.update(created_at=stuck.created_at.replace(year=2020))
        assert discrepancies.keep_with_stuck() == 1
        recovered = registry.run("recover_events")
        handled = {name: registry.run(name) for name in registry.SWEEPS}
        assert handled["expire_reservations"] == 1
        assert handled["reconcile"] > 0
        assert recovered > 0
        assert handled["send_mails"] > 0
        assert handled["purge_idempotency_keys"] == 5
        assert handled["verify"] == 0
        assert Reservation.objects.get(pk=confirmed).status == "paid"
        assert Reservation.objects.get(pk=expiring).status == "expired"
        assert Mail.objects.filter(status="sent").exists()
        promises.hold()

    def test_each_is_a_command(self, pooled: services.Program) -> None:
        for name in ("verify", "discrepancies", "send_commands", "expire_reservations"):
            call_command(name, stdout=io.StringIO())


class TestWeb:
    def test_sells_and_shows(self, pooled: services.Program, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=8)
        frontend = Frontend.of(slot)
        for number in range(6):
            made = frontend.reserve(slot, key=f"key-{number}")
            assert made.status_code == 201
            assert frontend.reserve(slot, key=f"key-{number}").content == made.content
        assert frontend.get("slots").json()["results"][0]["available"] == 2
        stripe_events.deliver_all(sandbox)
        promises.hold(at_provider=True)

    def test_the_time_outs_hold(self, pooled: services.Program) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, setting::int FROM pg_settings WHERE name = ANY(%s)", [list(TIME_OUTS)])
            assert dict(cursor.fetchall()) == TIME_OUTS
            cursor.execute("SHOW timezone")
            assert cursor.fetchone() == ("UTC",)
