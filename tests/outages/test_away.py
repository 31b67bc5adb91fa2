"""The database away and back, under load: only 503 is answered meanwhile, and every repeat with its key ends well."""

import time
from collections import Counter
from pathlib import Path
from threading import Event

import pytest
import requests

from booking.models import Reservation
from tests.support import promises, servers, services
from tests.support.aging import end_leases
from tests.support.api import Frontend, reservation_body
from tests.support.factories import SlotFactory
from tests.support.pooling import url_through
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]

CLIENTS = 4
MADE = frozenset((201, 202))
SETTINGS = {
    "WEB_PROCESSES": "1",
    "WEB_THREADS": "6",
    "DATABASE_POOL_SIZE": "4",
    "DATABASE_PREPARE": "false",
    "DATABASE_STARTUP_OPTIONS": "false",
}


class TestAway:
    def test_under_load(self, role_with_time_outs: None, sandbox: Sandbox, tmp_path: Path) -> None:
        slot = SlotFactory.create(capacity=2_000)
        key = Frontend.of(slot).key
        over, answers, asked, lives = Event(), Counter[int](), [], Counter[int]()
        with (
            services.pgbouncer() as pooler,
            (tmp_path / "web.log").open("wb") as log,
            servers.web(log, SETTINGS | {"DATABASE_URL": url_through(pooler)}) as address,
        ):

            def post(number: str) -> requests.Response:
                headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": number}
                there = f"{address}/api/v1/reservations"
                return requests.post(there, json=reservation_body(slot), headers=headers, timeout=60)

            def sell(client: int) -> None:
                number = 0
                while not over.is_set():
                    number += 1
                    asked.append(f"{client}-{number}")
                    answer = post(asked[-1])
                    answers[answer.status_code] += 1
                    assert answer.status_code in MADE or answer.headers["Retry-After"], answer.text

            def probe() -> None:
                while not over.is_set():
                    lives[requests.get(f"{address}/health", timeout=30).status_code] += 1
                    time.sleep(0.05)

            def strike() -> None:
                servers.wait("something is sold", lambda: answers[201] > 2)
                pooler.stop()
                servers.wait("it is told", lambda: answers[503] > 2)
                pooler.start()
                answers[201] = 0
                servers.wait("it is sold again", lambda: answers[201] > 2)
                over.set()

            race([*(lambda client=client: sell(client) for client in range(CLIENTS)), probe, strike])
            assert (set(answers) - MADE - {503}, set(lives)) == (set(), {200})
            end_leases()
            repeated = Counter(post(number).status_code for number in set(asked))
        assert set(repeated) <= MADE, repeated
        assert Reservation.objects.count() == len(set(asked))
        promises.hold(at_provider=True)
