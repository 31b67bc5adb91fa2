"""Webhooks: events handed to the endpoint in the order of their making, tried again when it fails, lost on demand.

A payment's events go through one lane, in order; lanes run side by side. A delivery that failed waits for its next
try without holding up those behind it, as at Stripe, where order is not promised either.
"""

import heapq
import itertools
import random
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.sandbox.stripe.objects import DeliveryAttempt, EventRecord

MODES = ("deliver", "hold", "drop", "double", "shuffle")
LANES = 4
MOST_ATTEMPTS = 10
LONGEST_DELAY_SECONDS = 60.0
SHUFFLE_WINDOW_SECONDS = 0.2
FLUSH_SECONDS = 10.0

Send = Callable[[str, str, EventRecord], DeliveryAttempt]


@dataclass(frozen=True)
class Endpoint:
    """Where events are sent, and the secret that signs them."""

    url: str
    secret: str


@dataclass(frozen=True)
class Flushed:
    """What a flush came to, in events."""

    delivered: int
    failed: int


@dataclass(order=True)
class _Job:
    due: float
    number: int
    attempt: int = field(compare=False)
    record: EventRecord = field(compare=False)
    lane: int = field(compare=False)


class Deliveries:
    """The queue of events on their way to the endpoint, and the threads that carry them."""

    def __init__(
        self, *, send: Send, endpoint: Endpoint | None, retry_base_seconds: float = 1.0, seed: int | None = None
    ) -> None:
        self._send = send
        self._endpoint = endpoint
        self._retry_base_seconds = retry_base_seconds
        self._random = random.Random(seed)  # noqa: S311  # order, not secrecy
        self._changed = threading.Condition()
        self._mode = "deliver"
        self._held: list[EventRecord] = []
        self._lanes: list[list[_Job]] = [[] for _ in range(LANES)]
        self._numbers = itertools.count()
        self._in_progress = 0
        self._generation = 0
        self._stopped = False

    def start(self) -> None:
        """Start the threads."""
        for lane in range(LANES):
            threading.Thread(target=self._work, args=(lane,), name=f"delivery-{lane}", daemon=True).start()

    def stop(self) -> None:
        """Let the threads end; what is queued is not delivered any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def publish(self, record: EventRecord) -> None:
        """Take a new event on its way, as the mode has it."""
        with self._changed:
            if self._endpoint is None:
                return
            record.has_endpoint = True
            if self._mode == "hold":
                self._held.append(record)
            elif self._mode != "drop":
                self._queue(record)
                if self._mode == "double":
                    self._queue(record)

    def configure(self, *, mode: str | None, url: str | None, secret: str | None) -> None:
        """Change the mode, the endpoint, or both; what was held before stays held until a flush."""
        with self._changed:
            if mode is not None:
                self._mode = mode
            if url is not None or secret is not None:
                known = self._endpoint or Endpoint("", "")
                self._endpoint = Endpoint(url or known.url, secret or known.secret)

    def reset(self) -> None:
        """Forget all events and deliver again; waits a moment for deliveries that are under way."""
        with self._changed:
            self._generation += 1
            self._mode = "deliver"
            self._held.clear()
            for lane in self._lanes:
                lane.clear()
            self._changed.wait_for(lambda: self._in_progress == 0, timeout=2)

    def flush(self, *, timeout_seconds: float = FLUSH_SECONDS) -> Flushed:
        """Deliver all that is held or still waits for its first try, and wait until each has been tried once."""
        with self._changed:
            waiting = [job.record for lane in self._lanes for job in lane]
            batch = list({record.id: record for record in [*waiting, *self._held]}.values())
            if self._endpoint is not None:
                self._hurry()
                if self._mode == "shuffle":
                    self._random.shuffle(self._held)
                for record in self._held:
                    self._queue(record, at_once=True)
                self._held.clear()
                self._changed.wait_for(self._is_idle, timeout=timeout_seconds)
        delivered = sum(record.delivered for record in batch)
        return Flushed(delivered, len(batch) - delivered)

    def redeliver(self, record: EventRecord) -> DeliveryAttempt | None:
        """Send an event now, whatever became of it before; None without an endpoint."""
        with self._changed:
            endpoint = self._endpoint
            if endpoint is None:
                return None
            self._held = [held for held in self._held if held is not record]
            record.has_endpoint = True
        attempt = self._send(endpoint.url, endpoint.secret, record)
        record.deliveries.append(attempt)
        return attempt

    def described(self) -> dict[str, object]:
        """Return the mode, the endpoint's address and how many events are held."""
        with self._changed:
            url = self._endpoint.url if self._endpoint else None
            return {"mode": self._mode, "url": url, "held": len(self._held)}

    def _queue(self, record: EventRecord, *, at_once: bool = False) -> None:
        due, lane = time.monotonic(), zlib.crc32(_payment_of(record).encode()) % LANES
        if self._mode == "shuffle":
            # One lane, so that what is drawn is also the order in which the endpoint sees it.
            lane = 0
            due += 0 if at_once else self._random.uniform(0, SHUFFLE_WINDOW_SECONDS)
        self._push(_Job(due, next(self._numbers), 1, record, lane))

    def _push(self, job: _Job) -> None:
        heapq.heappush(self._lanes[job.lane], job)
        self._changed.notify_all()

    def _hurry(self) -> None:
        now = time.monotonic()
        for lane in self._lanes:
            for job in lane:
                if job.attempt == 1 and job.due > now:
                    job.due = now
            heapq.heapify(lane)

    def _is_idle(self) -> bool:
        return self._in_progress == 0 and not any(job.attempt == 1 for lane in self._lanes for job in lane)

    def _work(self, lane: int) -> None:
        while (taken := self._next(lane)) is not None:
            job, endpoint, generation = taken
            attempt = self._send(endpoint.url, endpoint.secret, job.record)
            with self._changed:
                job.record.deliveries.append(attempt)
                self._in_progress -= 1
                if not attempt.succeeded and generation == self._generation:
                    self._retry(job)
                self._changed.notify_all()

    def _next(self, lane: int) -> tuple[_Job, Endpoint, int] | None:
        jobs = self._lanes[lane]
        with self._changed:
            while not self._stopped:
                if not jobs or self._endpoint is None:
                    self._changed.wait()
                elif (wait := jobs[0].due - time.monotonic()) > 0:
                    self._changed.wait(wait)
                else:
                    job = heapq.heappop(jobs)
                    # A retry is pointless once another delivery of the same event got through.
                    if job.attempt > 1 and job.record.delivered:
                        continue
                    self._in_progress += 1
                    return job, self._endpoint, self._generation
        return None

    def _retry(self, job: _Job) -> None:
        if job.attempt >= MOST_ATTEMPTS:
            return
        delay = min(self._retry_base_seconds * 2 ** (job.attempt - 1), LONGEST_DELAY_SECONDS)
        self._push(_Job(time.monotonic() + delay, job.number, job.attempt + 1, job.record, job.lane))


def _payment_of(record: EventRecord) -> str:
    subject = record.body["data"]["object"]
    return str(subject.get("payment_intent") or subject["id"])
