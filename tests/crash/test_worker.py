"""A worker that is killed in the middle of its work, with all its processes, loses none of it; and how fast it is."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from django_q.models import OrmQ

from booking.models import Reservation
from payments.models import Command, Payment, Refund
from sweeps.models import SweepRun
from tests.support import paying, promises, servers, stripe_events
from tests.support.aging import end_leases, run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]

HOLDS = 12
WORKER = ("-m", "django", "worker")
"""Not by manage.py, which takes the pool of the environment away: the worker itself must not fork with one."""
STOP_SECONDS = 15
REFUNDS = 10
SETTLED_SECONDS = 10


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


class TestPace:
    def test_ten_refunds_at_once_are_given_back_within_ten_seconds(self, sandbox: Sandbox, tmp_path: Path) -> None:
        """Each goes as soon as the one before it is recorded: a tenth that waited for sweeps would need ten minutes."""
        frontend = Frontend.of(SlotFactory.create())
        made = paying.paid(frontend, sandbox)
        OrmQ.objects.all().delete()
        with (
            (tmp_path / "web.log").open("wb") as web_log,
            (tmp_path / "worker.log").open("wb") as log,
            servers.web(web_log, {"WEB_PROCESSES": "1"}) as address,
            servers.process(*WORKER, log=log, DATABASE_POOL_SIZE="4"),
        ):
            sandbox.webhooks("deliver", url=f"{address}/webhooks/stripe", secret=stripe_events.SECRET)
            ready = SweepRun.objects.filter(name="send_commands", finished_at__isnull=False)
            servers.wait("it has begun", lambda: ready.exists() and not OrmQ.objects.exists())

            def ask(number: int) -> int:
                return requests.post(
                    f"{address}/api/v1/refunds",
                    json={"payment_id": made, "amount": 100},
                    headers={"Authorization": f"Bearer {frontend.key}", "Idempotency-Key": f"refund-{number}"},
                    timeout=SETTLED_SECONDS,
                ).status_code

            with ThreadPoolExecutor(REFUNDS) as pool:
                asked = list(pool.map(ask, range(REFUNDS)))
            back = Refund.objects.filter(status="succeeded")
            servers.wait("all are given back", lambda: back.count() == REFUNDS, seconds=SETTLED_SECONDS)
        assert set(asked) <= {201, 202}
        payment = Payment.objects.get()
        assert (payment.amount_refunded, payment.amount_refunding) == (REFUNDS * 100, 0)
        assert sum(refund["amount"] for refund in sandbox.state()["refunds"]) == REFUNDS * 100
        promises.hold(at_provider=True)
