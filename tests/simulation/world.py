"""A world: guests, operators, workers and a provider, each doing the next thing when its time comes."""

import heapq
import itertools
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from django.db import connection, connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client, override_settings
from django.utils import timezone

from common.tasks import TaskFailedError
from payments import execution
from payments.providers import registry as providers
from sweeps import registry as sweeps
from tests.simulation import faults
from tests.simulation.clock import BEGINNING, Clock
from tests.simulation.dice import CALM, Dice, Died, Storm
from tests.simulation.provider import Provider
from tests.support import database, stripe_events
from tools.sandbox.stripe.objects import DeliveryAttempt, EventRecord

ROGUE_SECRETS = {"STRIPE_ROGUE_API_KEY": "sk_test_of_rogue", "STRIPE_ROGUE_WEBHOOK_SECRETS": "whsec_of_the_rogue_one"}
"""What an operator has who signs its own events; the provider knows no such key."""
STORM_FOR = timedelta(minutes=40)
_RETRY_WEBHOOK = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
_TABLES = "booking|payments|webhooks|reconciliation|notifications|idempotency|sweeps|tenants|django_q"
_DEPTH = 2
_CONTENTION = re.compile(r"\b(BusyError|OperationalError)\b")
"""A sweep may end early, and be run again, only because somebody else is at what it begins with."""
_LONGER_THAN_A_LEASE = timedelta(seconds=90)
_SWEPT = (
    "expire_reservations", "send_commands", "retry_events", "reconcile", "recover_events", "release_holds", "send_mails"
)  # fmt: skip


class World:
    """One run. Everything is in one thread: what happens at once is what happens while a call is on its way."""

    def __init__(self, *, seed: int, storm: Storm) -> None:
        self.dice = Dice(seed, storm)
        self.clock = Clock()
        self.provider = Provider(clock=self.clock, dice=self.dice, publish=self._publish)
        self.provider.meanwhile, self.provider.told = self._meanwhile, self.tell
        self.provider.slowly = self._fall_behind
        self.provider.later = lambda call: self.at(self.soon(30, 600), "a late request arrives", call)
        self.story: list[tuple[datetime, str]] = []
        self.faults: list[str] = []
        """What the product did that it should never do, whatever happens to it."""
        self.refunded: Callable[[dict[str, Any]], None] = lambda event: None
        """What the bank does with a refund that it will not take."""
        self.is_over = False
        """Whether the storm has passed: nobody begins anything more, and only the sweeps go on."""
        self._nodes = [self._skew(30), self._skew(600), timedelta()] if self.dice.happens("skew") else [timedelta()]
        """How far each machine's own clock is off."""
        self.clock.provider_ahead = self._skew(60) if len(self._nodes) > 1 else timedelta()
        self._events: list[tuple[datetime, int, str, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._depth = 0
        self._node = timedelta()

    def tell(self, text: str) -> None:
        """Add a line to the story."""
        self.story.append((self.clock.at, "  " * self._depth + text))

    def own_time(self) -> datetime:
        """Tell the time by the own clock of the machine that is at work; the database's decides."""
        return self.clock.at + self._node

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

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is on its way: no task, no webhook, nobody who wants to try again."""
        return not self._events

    def calm_down(self) -> None:
        """Let the storm be over: nothing fails any more, and nobody begins anything."""
        self.is_over, self.dice.storm = True, CALM
        self.provider.is_away, self.provider.knows_us = False, True
        self.tell("the storm is over")

    def mortal(self, who: str, do: Callable[[], Any]) -> Any:
        """Do something as a process that can die; None if it did."""
        was, self.dice.is_mortal = self.dice.is_mortal, True
        here, self._node = self._node, self.dice.choice(self._nodes)
        try:
            return do()
        except Died as death:
            self.tell(f"{who} DIES at: {death}")
            connections.close_all()  # what it had not committed is gone with it
            return None
        finally:
            self.dice.is_mortal, self._node = was, here

    def sweep_sometimes(self) -> None:
        """Have the worker run a sweep, as its schedule has it."""
        name = self.dice.choice(_SWEPT)
        if not self.is_over:
            self.sweep(name)
            self.at(self.soon(40, 180), "the worker", self.sweep_sometimes)

    def outage(self) -> None:
        """Have the provider go away, and come back."""
        self.provider.is_away = True
        self.tell("the provider is AWAY")
        self.at(self.soon(120, 900), "the provider comes back", self._come_back)

    def _come_back(self) -> None:
        self.provider.is_away = False
        self.tell("the provider is back")

    def lose_key(self) -> None:
        """Have our key be another account's for a while."""
        self.provider.knows_us = False
        self.tell("our key is WRONG")
        self.at(self.soon(60, 600), "the right key is back", self._find_key)

    def _find_key(self) -> None:
        self.provider.knows_us = True
        self.tell("our key is right again")

    def sweep(self, name: str) -> int:
        """Have the worker run a sweep; returns how much it dealt with."""

        def run() -> int:
            try:
                handled = sweeps.run(name)
            except TaskFailedError as error:
                self.tell(f"sweep {name}: {error}")
                if not _CONTENTION.search(str(error)):
                    self.faults.append(f"sweep {name}: {error}")
                return 0
            if handled:
                self.tell(f"sweep {name}: {handled}")
            return handled

        return self.mortal(f"the worker, at {name},", run) or 0

    def queue(self, carrier: str, **known: Any) -> None:
        """Take a task for the worker, in the place of django-q2's own queue."""
        known = {name: value for name, value in known.items() if name.endswith("_id")}
        if self.dice.happens("task_lost"):
            self.tell("a task is lost")
            return
        from booking.execution import execute_any  # noqa: PLC0415  # what COMMAND_CARRIER names

        self.at(self.soon(0, 20), "a task", lambda: self.mortal("the worker", lambda: execute_any(**known)))

    def _publish(self, record: EventRecord) -> None:
        record.has_endpoint = True
        kind = f"{record.body['type']} {record.body['data']['object'].get('id', '')}"
        if record.body["type"] == "refund.created" and self.dice.happens("refund_fails"):
            self.refunded(record.body)
        if self.dice.happens("webhook_lost"):
            self.tell(f"the webhook of {kind} is lost")
            return
        latest = 900 if self.dice.happens("webhook_late") else 5
        for _ in range(2 if self.dice.happens("webhook_doubled") else 1):
            self.at(self.soon(0, latest), f"webhook {kind}", lambda: self._deliver(record, kind, _RETRY_WEBHOOK))

    def _deliver(self, record: EventRecord, kind: str, again: tuple[timedelta, ...]) -> None:
        answer = self.mortal("the web process, at a webhook,", lambda: self.post_event(record.body))
        status = answer.status_code if answer is not None else None
        record.deliveries.append(DeliveryAttempt(at=self.clock.now(), status=status, error=None, ms=1))
        self.tell(f"webhook {kind}: {status}")
        if status == 500:
            self.faults.append(f"500: the webhook {kind}: nothing that is done to us is a fault of ours")
        if status != 200 and again:
            self.at(self.clock.at + again[0], f"webhook {kind} again", lambda: self._deliver(record, kind, again[1:]))

    def post_event(self, event: Any, *, secret: str = stripe_events.SECRET, path: str = "/webhooks/stripe") -> Any:
        """Post an event as the provider does, signed with its secret; returns the answer."""
        body = json.dumps(event).encode()
        headers = {"Stripe-Signature": stripe_events.sign(body, secret=secret, at=int(self.clock.now()))}
        client = Client(raise_request_exception=False)
        return client.post(path, data=body, content_type="application/json", headers=headers)

    def _meanwhile(self) -> None:
        """Let the next thing happen while a call is on its way, as another process would."""
        if self._depth < _DEPTH and self._events:
            was, here = self.dice.is_mortal, self._node
            self._depth += 1
            # What happens is somebody else's: theirs to die of, and on another machine, whose clock is right.
            self.dice.is_mortal, self._node = False, timedelta()
            try:
                self._next()
            finally:
                self._depth -= 1
                self.dice.is_mortal, self._node = was, here

    def _fall_behind(self) -> None:
        """Let a sender be so slow that its lease ends, while others go on with what it has not finished."""
        if self._depth >= _DEPTH:
            return
        was, here = self.dice.is_mortal, self._node
        self._depth += 1
        self.dice.is_mortal, self._node = False, timedelta()
        try:
            end = self.clock.at + _LONGER_THAN_A_LEASE
            while self._events and self._events[0][0] <= end:
                self._next()
            self.clock.set(end)
            for name in ("send_commands", "reconcile"):
                self.sweep(name)
        finally:
            self._depth -= 1
            self.dice.is_mortal, self._node = was, here

    def _skew(self, seconds: float) -> timedelta:
        return timedelta(seconds=self.dice.between(-seconds, seconds))

    def _next(self) -> None:
        when, _, _, do = heapq.heappop(self._events)
        self.clock.set(when)
        do()


@contextmanager
def running(*, seed: int, storm: Storm) -> Iterator[World]:
    """Empty the database, and have the product live in a new world for as long as the context lasts."""
    _empty()
    world = World(seed=seed, storm=storm)
    random.seed(seed)  # the product's own jitter
    world.clock.set(BEGINNING)
    providers.get.cache_clear()
    commit = faults.mortal_commit(world.dice, DatabaseWrapper._commit)  # type: ignore[attr-defined]
    try:
        with (
            mock.patch.dict(providers._MAKERS, {"stripe": world.provider.adapter}),
            mock.patch.dict(os.environ, ROGUE_SECRETS),
            mock.patch.object(DatabaseWrapper, "_commit", commit),
            mock.patch.object(execution, "async_task", world.queue),
            override_settings(COMMAND_SENDERS=1),  # a world has one thread, and dice that fall in one order
            mock.patch.object(timezone, "now", world.own_time),
            connection.execute_wrapper(faults.Contention(world)),
        ):
            yield world
    finally:
        providers.get.cache_clear()


def _empty() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ %s", [f"^({_TABLES})_"]
        )
        names = ", ".join(name for (name,) in cursor.fetchall())
        before, after = database.EMPTYING
        cursor.execute(before)
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        cursor.execute(after)
