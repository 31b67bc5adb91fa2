"""Redis away: it counts requests and carries the queue, and nothing fails or waits because it does not answer."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django_q.models import OrmQ
from pytest_django import DjangoAssertNumQueries, Settings

from common import queues, redis_client
from tenants import rate_limits
from tests.support import services
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def redis(tmp_path: Path, settings: Settings) -> Iterator[services.Program]:
    """A Redis that counts for this process."""
    with services.redis(tmp_path) as program:
        settings.REDIS_URL = f"redis://127.0.0.1:{program.port}/0"
        redis_client.circuit.worked()
        yield program
        redis_client.circuit.worked()


class TestCounting:
    def test_is_done_by_redis_while_it_answers(
        self, redis: services.Program, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        settings.API_RATE = "3/min"
        with django_assert_num_queries(0):
            waits = [rate_limits.count("client:x") for _ in range(4)]
        assert waits[:3] == [None] * 3
        assert waits[3] is not None

    @pytest.mark.parametrize("how", ["stop", "hang"])
    def test_goes_on_in_the_database_without_it(self, redis: services.Program, settings: Settings, how: str) -> None:
        settings.API_RATE = "3/min"
        rate_limits.count(f"client:{how}")
        getattr(redis, how)()
        assert [rate_limits.count(f"client:{how}") is None for _ in range(4)] == [True, True, True, False]

    def test_waits_for_a_redis_that_hangs_once_and_not_in_every_request(
        self, redis: services.Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rate_limits.count("client:x")
        redis.hang()
        rate_limits.count("client:x")
        monkeypatch.setattr(redis_client, "connect", pytest.fail)
        assert {rate_limits.count("client:x") for _ in range(20)} == {None}

    def test_is_redis_again_when_that_is_back(self, redis: services.Program) -> None:
        redis.stop()
        rate_limits.count("client:x")
        assert not redis_client.circuit.is_well
        redis.start()
        redis_client.circuit._closed_until = 0
        rate_limits.count("client:x")
        assert redis_client.circuit.is_well


class TestStoppedUnderLoad:
    def test_no_request_and_no_login_fails(self, redis: services.Program, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(capacity=50)
        frontend = Frontend.of(slot)
        answers: Counter[int] = Counter()
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                answers[frontend.get("slots").status_code] += 1
                answers[Client(raise_request_exception=False).get("/api/v1/slots").status_code] += 1
                login = {"username": "a", "password": "b"}
                answers[Client(raise_request_exception=False).post("/admin/login/", login).status_code] += 1

        def stop() -> None:
            time.sleep(0.4)
            redis.stop()
            reserved.append(frontend.reserve(slot).status_code)
            time.sleep(0.4)
            over.set()

        reserved = [frontend.reserve(slot).status_code]
        race([ask, ask, ask, stop])
        assert reserved == [201, 201]
        assert set(answers) == {200, 401}


class TestQueue:
    def test_is_in_redis_and_in_the_database_without_it(self, redis: services.Program) -> None:
        queue = queues.RedisQueue("tests")
        queue.enqueue("first")
        assert OrmQ.objects.count() == 0
        redis.stop()
        queue.enqueue("second")
        assert OrmQ.objects.get().payload == "second"
        redis.start()
        redis_client.circuit._closed_until = 0
        queue.enqueue("third")
        taken = [queue.dequeue() for _ in range(3)]
        tasks = {str(task) for found in taken if found for _, task in found}
        assert tasks >= {"second", "b'third'"}

    def test_a_task_of_the_database_is_taken_while_redis_is_away_and_forgotten_when_done(
        self, redis: services.Program
    ) -> None:
        redis.stop()
        queue = queues.RedisQueue("tests")
        queue.enqueue("only")
        ((number, task),) = queue.dequeue()
        assert task == "only"
        queue.acknowledge(number)
        assert OrmQ.objects.count() == 0

    def test_a_redis_that_hangs_holds_no_sender_for_long(self, redis: services.Program) -> None:
        queue = queues.RedisQueue("tests")
        redis.hang()
        began = time.monotonic()
        for _ in range(20):
            queue.enqueue("task")
        assert time.monotonic() - began < 20 * redis_client.SECONDS
        assert OrmQ.objects.count() == 20
