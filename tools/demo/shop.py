"""The demo's booking frontend, and its hands on the sandbox: both over HTTP, as everybody else has them."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import requests

DEADLINE_SECONDS = 30


class Failed(Exception):
    """Something in the story is not as it has to be."""


def expect(what: str, *, that: bool, found: object = "") -> None:
    """Stop the story unless it is so.

    Raises:
        Failed: It is not.
    """
    if not that:
        raise Failed(f"Expected: {what}. Found: {found}")


class Shop:
    """A frontend with an API key."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str, **query: Any) -> Any:
        """Read something; it must be there."""
        answer = _send("GET", f"{self._base_url}/api/v1/{path}", params=query, headers=self._headers)
        expect(f"200 for {path}", that=answer.status_code == 200, found=answer.text)
        return answer.json()

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> requests.Response:
        """Have something done, under a key of its own unless one is given."""
        headers = self._headers | {"Idempotency-Key": key or str(uuid.uuid4())}
        return _send("POST", f"{self._base_url}/api/v1/{path}", json=body or {}, headers=headers)

    def reserve(
        self, slot: dict[str, Any], *, adults: int = 1, card: str = "pm_card_visa", key: str | None = None
    ) -> requests.Response:
        """Reserve places for adults."""
        body = {
            "slot_id": slot["id"],
            "units": [{"unit": "adult", "quantity": adults}],
            "customer": {"name": "Ana Souza", "email": "ana@example.com"},
            "payment": {"provider": "stripe", "payment_method_id": card},
        }
        return self.post("reservations", body, key=key)

    def find_slot(self, *, free: int) -> dict[str, Any]:
        """Find a departure with exactly so many places free, or else the one with the fewest above that."""
        slots = self.get("slots", places=free, page_size=100)["results"]
        expect(f"a departure with {free} free places", that=bool(slots))
        best: dict[str, Any] = min(slots, key=lambda slot: slot["available"])
        return best

    def wait_until(self, reservation_id: str, status: str) -> dict[str, Any]:
        """Wait for a reservation to become something."""
        found: dict[str, Any] = {}

        def is_so() -> bool:
            found.update(self.get(f"reservations/{reservation_id}"))
            return bool(found["reservation"]["status"] == status)

        wait(f"reservation {reservation_id} is {status}", is_so)
        return found

    def deliver_forged(self, event: dict[str, Any]) -> requests.Response:
        """Say that money came, without the secret that the provider signs with."""
        body = json.dumps(event).encode()
        at = int(time.time())
        signature = hmac.new(b"whsec_guessed", b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={at},v1={signature}"}
        return _send("POST", f"{self._base_url}/webhooks/stripe", data=body, headers=headers)


class Provider:
    """The sandbox, as its own control shows it."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_sandbox"

    def intents(self, payment_id: str) -> list[dict[str, Any]]:
        """List the payment intents of a payment of ours."""
        state = _send("GET", f"{self._url}/state").json()
        return [row for row in state["payment_intents"] if row["metadata"].get("holdfast_payment") == payment_id]

    def fault(self, match: str, effect: str) -> None:
        """Have the next matching call fail."""
        self._post("faults", {"match": match, "effect": effect, "times": 1})

    def webhooks(self, mode: str) -> None:
        """Say how webhooks are delivered from now on."""
        self._post("webhooks", {"mode": mode})

    def flush(self) -> None:
        """Deliver what was held back."""
        self._post("webhooks/flush", {})

    def _post(self, path: str, body: dict[str, Any]) -> None:
        answer = _send("POST", f"{self._url}/{path}", json=body)
        expect(f"the sandbox to take {path}", that=answer.ok, found=answer.text)


def wait(what: str, condition: Callable[[], bool]) -> None:
    """Wait for something, not for ever."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        expect(f"{what}, within {DEADLINE_SECONDS} s", that=time.monotonic() < deadline)
        time.sleep(0.1)


def _send(method: str, url: str, **given: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the environment can't know what is on this machine
        return session.request(method, url, timeout=60, **given)
