"""Probes are answered while every thread waits for the database, and silent clients hold no thread."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from django.db import connection, transaction

from tests.support import servers, threads
from tests.support.api import Frontend
from tests.support.factories import SlotFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

THREADS = 2


class TestProbes:
    def test_have_a_way_of_their_own(self, tmp_path: Path) -> None:
        key = Frontend.of(SlotFactory.create()).key
        # No time-out of the lock, so that the threads are held until the test lets them go.
        settings = {"WEB_PROCESSES": "1", "WEB_THREADS": str(THREADS), "DATABASE_POOL_SIZE": str(THREADS),
                    "DATABASE_LOCK_TIMEOUT_MS": "60000", "DATABASE_STATEMENT_TIMEOUT_MS": "0"}  # fmt: skip
        with (tmp_path / "web.log").open("wb") as log, servers.web(log, settings) as address:
            parts = urlsplit(address)
            silent = [socket.create_connection((str(parts.hostname), parts.port or 0)) for _ in range(3 * THREADS)]
            api = {"Authorization": f"Bearer {key}"}
            assert requests.get(f"{address}/api/v1/slots", headers=api, timeout=30).status_code == 200
            with ThreadPoolExecutor(2 * THREADS) as pool:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("LOCK TABLE tenants_apiclient IN ACCESS EXCLUSIVE MODE")
                    asked = [
                        pool.submit(requests.get, f"{address}/api/v1/slots", headers=api, timeout=60)
                        for _ in range(2 * THREADS)
                    ]
                    servers.wait("every thread waits", lambda: threads.waiting() == THREADS)
                    for path in ("/health", "/health/ready", "/health", "/metrics"):
                        headers = {"Host": "10.1.2.3"}  # a pod's, which ALLOWED_HOSTS does not know
                        answer = requests.get(f"{address}{path}", headers=headers, timeout=30)
                        assert answer.status_code == (404 if path == "/metrics" else 200), answer.text
                    time.sleep(0.1)
                    assert not any(request.done() for request in asked)
                assert {request.result().status_code for request in asked} == {200}
            for client in silent:
                client.close()
