"""A worker that is killed in the middle of its work, with all its processes, loses none of it."""

from pathlib import Path

import pytest
from django_q.models import OrmQ

from booking.models import Reservation
from payments.models import Command
from tests import promises, servers
from tests.aging import end_leases, run_out
from tests.api import Frontend
from tests.factories import SlotFactory
from tests.sandbox_client import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]

HOLDS = 12
WORKER = ("-m", "django", "worker")
"""Not by manage.py, which takes the pool of the environment away: the worker itself must not fork with one."""
STOP_SECONDS = 15


class TestWorker:
    def test_killed_in_the_middle_and_started_again(self, sandbox: Sandbox, tmp_path: Path) -> None:
        slot = SlotFactory.create(capacity=HOLDS)
        frontend = Frontend.of(slot)
        for _ in range(HOLDS):
            run_out(frontend.reserve(slot).json()["reservation"]["id"])
        sandbox.fault("POST /v1/payment_intents", "latency", times=None, ms=150)
        with (tmp_path / "worker.log").open("wb") as log:
            done = Command.objects.filter(kind="cancel", status="done")
            with servers.process(*WORKER, log=log, DATABASE_POOL_SIZE="4") as worker:
                servers.wait("it is in the middle", done.exists)
                servers.kill(worker)
            assert Command.objects.filter(kind="cancel", status__in=("requested", "sent")).exists()
            end_leases()
            OrmQ.objects.update(lock=None)
            with servers.process(*WORKER, log=log, DATABASE_POOL_SIZE="4") as worker:
                servers.wait("every hold is released", lambda: done.count() == HOLDS)
                worker.terminate()
                worker.wait(timeout=STOP_SECONDS)
        assert set(Reservation.objects.values_list("status", flat=True)) == {"expired"}
        assert {intent["status"] for intent in sandbox.payment_intents()} == {"canceled"}
        slot.refresh_from_db()
        assert slot.reserved == 0
        promises.hold(at_provider=True)
