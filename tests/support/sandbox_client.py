"""The sandbox as tests drive it: a process per test worker, and its controls."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.support.environment import ROOT, VALUES

STOP_SECONDS = 10
# An endpoint can be changed and not taken away, so that of the test before must be replaced by one that nobody is at.
NOWHERE = "http://127.0.0.1:9/"


class Sandbox:
    """A running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def reset(self) -> None:
        """Forget every payment, fault and event. Events are held from here on, until a test says where they go.

        ``webhooks("deliver", url=…)`` sends what comes; ``webhooks(url=…)`` and ``flush()`` send what was held.
        """
        self._post("reset")
        self.webhooks("hold", url=NOWHERE)

    def state(self) -> dict[str, Any]:
        """Return everything it knows: payment intents, refunds, calls by idempotency key, events with deliveries."""
        return self._answer("GET", "state")

    def attempts(self) -> int:
        """Return how many calls were made, without all else that it knows."""
        return int(self._answer("GET", "calls")["attempts"])

    def payment_intents(self) -> list[dict[str, Any]]:
        """Return the payment intents, oldest first."""
        found: list[dict[str, Any]] = self.state()["payment_intents"]
        return found

    def events(self) -> list[dict[str, Any]]:
        """Return the events with their deliveries, oldest first."""
        found: list[dict[str, Any]] = self.state()["events"]
        return found

    def fault(self, match: str, effect: str, *, times: int | None = 1, ms: int = 0, error: Any = None) -> None:
        """Make requests that match (``POST /v1/payment_intents``) fail in some way, so many times (None: always)."""
        self._post("faults", {"match": match, "effect": effect, "times": times, "ms": ms, "error": error})

    def clear_faults(self) -> None:
        """Forget every fault."""
        self._answer("DELETE", "faults")

    def webhooks(self, mode: str | None = None, *, url: str | None = None, secret: str | None = None) -> None:
        """Say how events are delivered (deliver, hold, drop, double, shuffle), to where, and signed with what."""
        given = {"mode": mode, "url": url, "secret": secret}
        self._post("webhooks", {name: value for name, value in given.items() if value is not None})

    def flush(self) -> dict[str, Any]:
        """Deliver what is held or waits, and return how many were delivered and failed."""
        return self._post("webhooks/flush")

    def redeliver(self, event_id: str) -> dict[str, Any]:
        """Deliver one event again, now."""
        return self._post("webhooks/redeliver", {"event_id": event_id})

    def authenticate(self, intent_id: str, *, result: str = "success") -> dict[str, Any]:
        """Finish the 3-D Secure step of a payment intent as its customer."""
        return self._post(f"payment_intents/{intent_id}/authenticate", {"result": result})

    def pay(self, intent_id: str, *, payment_method: str = "pm_card_visa") -> dict[str, Any]:
        """Pay a payment intent with its client secret, as Stripe.js does for a customer."""
        return self._post(f"payment_intents/{intent_id}/pay", {"payment_method": payment_method})

    def expire(self, intent_id: str) -> dict[str, Any]:
        """Let the hold of a payment intent run out at the provider."""
        return self._post(f"payment_intents/{intent_id}/expire")

    def dispute(self, intent_id: str) -> dict[str, Any]:
        """Let the customer's bank dispute a payment intent."""
        return self._post(f"payment_intents/{intent_id}/dispute")

    def close_dispute(self, dispute_id: str, *, result: str) -> dict[str, Any]:
        """Let the bank decide a dispute: won or lost."""
        return self._post(f"disputes/{dispute_id}/close", {"result": result})

    def advance(self, seconds: float) -> None:
        """Set its clock forward."""
        self._post("clock", {"advance_seconds": seconds})

    def pay_out(self) -> dict[str, Any]:
        """Pay out what is in the balance."""
        return self._post("payouts")

    def fail_refund(self, refund_id: str) -> dict[str, Any]:
        """Let a refund come back from the customer's bank."""
        return self._post(f"refunds/{refund_id}/fail")

    def _post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._answer("POST", path, body)

    def _answer(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        response = self._session.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=30)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        answer: dict[str, Any] = response.json()
        return answer


@contextmanager
def running() -> Iterator[Sandbox]:
    """Run a sandbox on a free port for as long as the context lasts."""
    arguments = ["--port", "0", "--host", "127.0.0.1", "--api-key", VALUES["STRIPE_API_KEY"]]
    arguments += ["--webhook-secret", VALUES["STRIPE_WEBHOOK_SECRETS"], "--retry-base-seconds", "0.2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.sandbox", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("sandbox listening on http://"), f"The sandbox did not start: {line}"
            yield Sandbox(line.split()[-1])
        finally:
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
