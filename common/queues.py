"""The queue of django-q2 in Redis, or in the database without Redis.

A worker looks in both, so that what was queued during an outage is done, and the sweeps go on through it.
"""

import time
from typing import Any

from django.conf import settings
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis as RedisBroker

from common import redis_client
from common.redis_client import UNREACHABLE, circuit

_WAIT_SECONDS = 1
"""How long Redis is asked to wait for a task, and how often the database is looked in meanwhile."""
_POLL_SECONDS = 0.2
"""How often the database is looked in without Redis."""


class RedisQueue(RedisBroker):  # type: ignore[misc]  # django-q2 has no types
    """A broker of django-q2, named by ``Q_CLUSTER["broker_class"]``."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self._spare = ORM(list_key)
        self._looked_at = 0.0

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self._spare = ORM()
        self._looked_at = 0.0

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """Return a client that may wait for a task."""
        return redis_client.connect(settings.REDIS_URL, seconds=_WAIT_SECONDS + 2)

    def enqueue(self, task: str) -> Any:
        """Queue a task, in the database if Redis does not take it."""
        if circuit.may_call():
            try:
                number = redis_client.connect(settings.REDIS_URL).rpush(self.list_key, task)
            except UNREACHABLE as error:
                circuit.failed(error)
            else:
                circuit.worked()
                return number
        return self._spare.enqueue(task)

    def dequeue(self) -> Any:
        """Take a task from the database, else wait for one in Redis."""
        if waiting := self._look_in_database():
            return waiting
        if not circuit.may_call():
            time.sleep(_POLL_SECONDS)
            return None
        try:
            taken = self.connection.blpop([self.list_key], _WAIT_SECONDS)
        except UNREACHABLE as error:
            circuit.failed(error)
            return None
        circuit.worked()
        return [(None, taken[1])] if taken else None

    def _look_in_database(self) -> Any:
        now = time.monotonic()
        if circuit.is_well and now - self._looked_at < _WAIT_SECONDS:
            return None
        self._looked_at = now
        # Asked first, because it sleeps when there is nothing, while a task may come in Redis.
        return self._spare.dequeue() if self._spare.queue_size() else None

    def acknowledge(self, task_id: Any) -> None:
        """Delete a finished task; Redis's are deleted when they are taken."""
        if task_id is not None:
            self._spare.acknowledge(task_id)

    def fail(self, task_id: Any) -> None:
        """Forget a task that cannot be read."""
        if task_id is not None:
            self._spare.fail(task_id)

    def delete(self, task_id: Any) -> None:
        """Forget a task."""
        if task_id is not None:
            self._spare.delete(task_id)

    def ping(self) -> bool:
        """Say that there is a queue: without Redis it is the database's."""
        return True

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Send this worker's state to Redis for the monitor, if it answers."""
        if not circuit.may_call():
            return
        try:
            redis_client.connect(settings.REDIS_URL).set(key, value, timeout)
        except UNREACHABLE as error:
            circuit.failed(error)
        else:
            circuit.worked()
