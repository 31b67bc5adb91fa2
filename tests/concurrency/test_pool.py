"""Few connections for many: none is held while the provider is waited for, so a small pool serves a crowd."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import requests
from django.db import connection

from booking.models import Reservation
from tests.support import promises, servers
from tests.support.api import Frontend, reservation_body
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

POOL = 8
CLIENTS = 64
LATENCY_MS = 300


def connections_in_use() -> tuple[int, int]:
    """Count the connections of others to this database, and those of them in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in%%') FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        number, in_transaction = cursor.fetchone()
    return number, in_transaction


class TestPool:
    def test_eight_connections_serve_sixty_four_at_a_slow_provider(self, sandbox: Sandbox, tmp_path: Path) -> None:
        slot = SlotFactory.create(capacity=CLIENTS)
        key = Frontend.of(slot).key
        settings = {"WEB_PROCESSES": "1", "WEB_THREADS": str(CLIENTS), "DATABASE_POOL_SIZE": str(POOL)}
        settings["DATABASE_POOL_TIMEOUT_SECONDS"] = "60"  # a busy machine may be slow, and that is not tried here
        sandbox.fault("POST /v1/payment_intents", "latency", times=None, ms=LATENCY_MS)
        with (tmp_path / "web.log").open("wb") as log, servers.web(log, settings) as address:

            def reserve(number: int) -> int:
                answer = requests.post(
                    f"{address}/api/v1/reservations",
                    json=reservation_body(slot),
                    headers={"Authorization": f"Bearer {key}", "Idempotency-Key": f"key-{number}"},
                    timeout=60,
                )
                return answer.status_code

            seen: list[tuple[int, int]] = []
            over = Event()

            def watch() -> None:
                while not over.wait(0.02):
                    seen.append(connections_in_use())
                connection.close()

            with ThreadPoolExecutor(CLIENTS + 1) as pool:
                watching = pool.submit(watch)
                reserve(-1)
                answers = list(pool.map(reserve, range(CLIENTS - 1)))
                over.set()
                watching.result()
        assert set(answers) == {201}
        assert Reservation.objects.filter(status="pending").count() == CLIENTS
        assert max(number for number, _ in seen) <= POOL + 1  # and that of this test
        # With a connection held through each call there would never be more calls on their way than connections.
        calls = sorted(call["created"] for call in sandbox.state()["calls"])
        assert max(sum(at <= other < at + LATENCY_MS / 1000 for other in calls) for at in calls) > 2 * POOL
        promises.hold()
