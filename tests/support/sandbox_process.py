"""A sandbox process, a webhook endpoint for it to deliver to, and the official client pointed at it."""

import json
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import stripe

# Stripe's own types have every field optional or of several kinds, which tests would have to narrow again and again.
Client = Any
ROOT = pathlib.Path(__file__).resolve().parents[2]
API_KEY = "sk_test_for_tests"
WEBHOOK_SECRET = "whsec_for_tests"


class Control:
    """The sandbox's own endpoints."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> Any:
        return self.send("GET", path)[1]

    def post(self, path: str, body: Any = None) -> Any:
        status, answer = self.send("POST", path, body)
        assert status == 200, answer
        return answer

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and the answer, whatever they are."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        response = requests.request(method, f"{self.url}/_sandbox/{path}", data=data, timeout=15)
        return response.status_code, response.json()

    def state(self) -> Any:
        return self.get("state")

    def fault(self, match: str, effect: str, **more: Any) -> None:
        self.post("faults", {"match": match, "effect": effect, **more})

    def call(self, key: str) -> Any:
        """Return the record of the calls that came with this idempotency key."""
        return next((call for call in self.state()["calls"] if call["idempotency_key"] == key), None)


@dataclass
class Receiver:
    """A webhook endpoint: answers with the statuses it was told, then with 200, and remembers what came."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[bytes, str, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, body: bytes, signature: str) -> int:
        with self.lock:
            status = self.statuses.pop(0) if self.statuses else 200
            self.received.append((body, signature, status))
            return status

    def events(self) -> list[Any]:
        """Return the events that came, in order, each signature verified as Stripe's own library does."""
        with self.lock:
            received = list(self.received)
        return [stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET) for body, signature, _ in received]

    def types(self) -> list[str]:
        return [event.type for event in self.events()]

    def forget(self) -> None:
        with self.lock:
            self.statuses.clear()
            self.received.clear()


def wait_until(condition: Callable[[], Any], *, seconds: float = 5) -> Any:
    """Wait for something to become true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("It did not happen in time.")


def start_sandbox(*arguments: str, env: dict[str, str] | None = None) -> tuple[subprocess.Popen[str], str]:
    """Start a sandbox process on a free port and return it with its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.sandbox", *arguments], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("sandbox listening on http://"), line
    return process, line.split()[-1]


def stop_sandbox(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(timeout=5)
    assert process.stdout is not None
    process.stdout.close()


def raised(caught: pytest.ExceptionInfo[Any]) -> Any:
    """Return the error that was caught, of whatever kind."""
    return caught.value


def client_of(url: str, *, key: str = API_KEY, http_client: Any = None) -> Client:
    return stripe.StripeClient(key, base_addresses={"api": url}, http_client=http_client)


def hold_params(**more: Any) -> Any:
    """Return the parameters of a confirmed payment intent that holds 10.00 EUR on a good card."""
    return {
        "amount": 1000,
        "currency": "eur",
        "capture_method": "manual",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "payment_method_types": ["card"],
        **more,
    }


def hold(client: Client, **more: Any) -> Any:
    return client.v1.payment_intents.create(hold_params(**more))


def charge(client: Client, **more: Any) -> Any:
    return hold(client, **{"capture_method": "automatic", **more})


def types_of(control: Control) -> list[str]:
    """List the types of the events so far, oldest first."""
    return [event["type"] for event in control.state()["events"]]
