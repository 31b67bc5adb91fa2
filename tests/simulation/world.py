"""A world: guests, operators, workers and a provider, each doing the next thing when its time comes."""

import heapq
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client
from psycopg import errors as pg

from booking.models import Resource, Slot
from common.errors import HoldfastError
from payments import carrying_out
from payments.providers import registry as providers
from sandbox.stripe.objects import DeliveryAttempt, EventRecord
from sweeps import registry as sweeps
from tenants.models import Operator
from tests import stripe_events
from tests.api import Frontend
from tests.factories import OperatorFactory, ResourceFactory, SlotFactory, make_client
from tests.simulation.clock import BEGINNING, Clock
from tests.simulation.dice import CALM, Dice, Died, Storm
from tests.simulation.provider import Provider

STORM_FOR = timedelta(minutes=40)
_RETRY_WEBHOOK = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
_CONTENTION = (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure)
_TABLES = "booking|payments|webhooks|reconciliation|notifications|idempotency|sweeps|tenants|django_q"
_DEPTH = 2


class World:
    """One run. Everything is in one thread: what happens at once is what happens while a call is on its way."""

    def __init__(self, *, seed: int, storm: Storm) -> None:
        self.dice = Dice(seed, storm)
        self.clock = Clock()
        self.provider = Provider(clock=self.clock, dice=self.dice, publish=self._publish)
        self.provider.meanwhile, self.provider.told = self._meanwhile, self.tell
        self.provider.later = lambda call: self.at(self.soon(30, 600), "a late request arrives", call)
        self.story: list[str] = []
        self.faults: list[str] = []
        """What the product did that it should never do, whatever happens to it."""
        self.is_over = False
        """Whether the storm has passed: nobody begins anything more, and only the sweeps go on."""
        self._events: list[tuple[datetime, int, str, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._depth = 0

    def tell(self, text: str) -> None:
        """Add a line to the story."""
        self.story.append(f"{self.clock.at - BEGINNING} {'  ' * self._depth}{text}")

    def soon(self, least: float, most: float) -> datetime:
        """Return a moment some seconds from now."""
        return self.clock.at + timedelta(seconds=self.dice.between(least, most))

    def at(self, when: datetime, what: str, do: Callable[[], object]) -> None:
        """Have something happen at a time."""
        heapq.heappush(self._events, (when, next(self._numbers), what, do))

    def run_until(self, end: datetime) -> None:
        """Let everything happen that is to happen until then, in order of time."""
        while self._events and self._events[0][0] <= end:
            self._next()
        self.clock.set(end)

    def settle(self) -> None:
        """Let the storm be over: nothing fails any more, and the sweeps run for as long as there is something to do."""
        self.is_over, self.dice.storm = True, CALM
        self.provider.is_away = False
        for minutes in (1, 1, 2, 5, 5, 10, 20, 30, 60, 120, 240, 480, 960):
            self.run_until(self.clock.at + timedelta(minutes=minutes))
            for name in sweeps.SWEEPS:
                if name not in ("settle", "purge_idempotency_keys", "forget_request_counts", "carry_on_bulk_runs"):
                    self._sweep(name)
        self.run_until(self.clock.at + timedelta(hours=1))

    def mortal(self, who: str, do: Callable[[], Any]) -> Any:
        """Do something as a process that can die; None if it did."""
        was, self.dice.is_mortal = self.dice.is_mortal, True
        try:
            return do()
        except Died as death:
            self.tell(f"{who} DIES at: {death}")
            connections.close_all()  # what it had not committed is gone with it
            return None
        finally:
            self.dice.is_mortal = was

    def sweep_sometimes(self) -> None:
        """Have the worker run a sweep, as its schedule has it."""
        name = self.dice.choice(("expire_reservations", "send_commands", "retry_events", "reconcile", "recover_events"))
        if not self.is_over:
            self._sweep(name)
            self.at(self.soon(60, 240), "the worker", self.sweep_sometimes)

    def outage(self) -> None:
        """Have the provider go away, and come back."""
        self.provider.is_away = True
        self.tell("the provider is AWAY")
        self.at(self.soon(120, 900), "the provider comes back", self._come_back)

    def _come_back(self) -> None:
        self.provider.is_away = False
        self.tell("the provider is back")

    def _sweep(self, name: str) -> None:
        def run() -> None:
            try:
                handled = sweeps.run(name)
                if handled:
                    self.tell(f"sweep {name}: {handled}")
            except (HoldfastError, OperationalError) as error:
                self.tell(f"sweep {name} fails: {type(error).__name__}")

        self.mortal(f"the worker, at {name},", run)

    def queue(self, carrier: str, **known: Any) -> None:
        """Take a task for the worker, in the place of django-q2's own queue."""
        known = {name: value for name, value in known.items() if name.endswith("_id")}
        if self.dice.happens("task_lost"):
            self.tell("a task is lost")
            return
        from booking.carrying_out import carry_out_any  # noqa: PLC0415  # what COMMAND_CARRIER names

        self.at(self.soon(0, 20), "a task", lambda: self.mortal("the worker", lambda: carry_out_any(**known)))

    def _publish(self, record: EventRecord) -> None:
        record.has_endpoint = True
        kind = f"{record.body['type']} {record.body['data']['object'].get('id', '')}"
        if self.dice.happens("webhook_lost"):
            self.tell(f"the webhook of {kind} is lost")
            return
        latest = 900 if self.dice.happens("webhook_late") else 5
        for _ in range(2 if self.dice.happens("webhook_doubled") else 1):
            self.at(self.soon(0, latest), f"webhook {kind}", lambda: self._deliver(record, kind, _RETRY_WEBHOOK))

    def _deliver(self, record: EventRecord, kind: str, again: tuple[timedelta, ...]) -> None:
        body = json.dumps(record.body).encode()
        answer = self.mortal("the web process, at a webhook,", lambda: _post(body))
        status = answer.status_code if answer is not None else None
        record.deliveries.append(DeliveryAttempt(at=self.clock.now(), status=status, error=None, ms=1))
        self.tell(f"webhook {kind}: {status}")
        if status == 500:
            self.faults.append(f"500: the webhook {kind}: nothing that is done to us is a fault of ours")
        if status != 200 and again:
            self.at(self.clock.at + again[0], f"webhook {kind} again", lambda: self._deliver(record, kind, again[1:]))

    def _meanwhile(self) -> None:
        """Let the next thing happen while a call is on its way, as another process would."""
        if self._depth < _DEPTH and self._events:
            was = self.dice.is_mortal
            self._depth += 1
            try:
                self._next()
            finally:
                self._depth -= 1
                self.dice.is_mortal = was

    def _next(self) -> None:
        when, _, _, do = heapq.heappop(self._events)
        self.clock.set(when)
        do()


def _post(body: bytes) -> Any:
    headers = {"Stripe-Signature": stripe_events.sign(body, at=int(time.time()))}
    client = Client(raise_request_exception=False)
    return client.post("/webhooks/stripe", data=body, content_type="application/json", headers=headers)


class Shop:
    """What is sold in a world: one operator, two activities, three departures with few places."""

    def __init__(self, world: World) -> None:
        self.operator: Operator = OperatorFactory.create(hold_ttl_seconds=900)
        resource: Resource = ResourceFactory.create(operator=self.operator)
        start = BEGINNING + timedelta(days=1)
        self.slots: list[Slot] = [
            SlotFactory.create(resource=resource, capacity=capacity, starts_at=start + timedelta(hours=number))
            for number, capacity in enumerate((2, 3, 6))
        ]
        self.key = make_client(self.operator)[1]

    def frontend(self) -> Frontend:
        """Return a frontend of the shop."""
        return Frontend(self.key)


@contextmanager
def running(*, seed: int, storm: Storm) -> Iterator[World]:
    """Empty the database, and have the product live in a new world for as long as the context lasts."""
    _empty()
    world = World(seed=seed, storm=storm)
    random.seed(seed)  # the product's own jitter
    world.clock.set(BEGINNING)
    kept = providers._MAKERS["stripe"], DatabaseWrapper._commit, carrying_out.async_task  # type: ignore[attr-defined]
    providers._MAKERS["stripe"] = world.provider.adapter
    providers.get.cache_clear()
    DatabaseWrapper._commit = _watched(world.dice, DatabaseWrapper._commit)  # type: ignore[attr-defined]
    carrying_out.async_task = world.queue  # type: ignore[attr-defined]
    try:
        with connection.execute_wrapper(_Contention(world)):
            yield world
    finally:
        providers._MAKERS["stripe"], DatabaseWrapper._commit, carrying_out.async_task = kept  # type: ignore[attr-defined]
        providers.get.cache_clear()


def _watched(dice: Dice, commit: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def watched(wrapper: Any) -> Any:
        try:
            dice.boundary("before COMMIT")
        except Died:
            wrapper.connection.rollback()  # as the server does for a connection that is gone
            raise
        result = commit(wrapper)
        dice.boundary("after COMMIT")
        return result

    return watched


class _Contention:
    """Has a statement fail now and then as one does that came upon somebody else's lock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        dice = self._world.dice
        is_writing = " FOR NO KEY UPDATE" in sql or sql.startswith("UPDATE")
        in_transaction = context["connection"].in_atomic_block and "virtual.clock" not in sql
        if is_writing and in_transaction and dice.is_mortal and dice.happens("contention"):
            kind = dice.choice(_CONTENTION)
            self._world.tell(f"the database refuses a statement: {kind.__name__}")
            raise OperationalError(kind.__name__) from kind()
        return execute(sql, params, many, context)


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ %s", [f"^({_TABLES})_"]
        )
        names = ", ".join(name for (name,) in cursor.fetchall())
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
