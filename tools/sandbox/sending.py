"""One signed webhook request to the endpoint."""

import http.client
import json
from collections.abc import Callable
from urllib.parse import urlsplit

from tools.sandbox.clock import Clock
from tools.sandbox.signing import signature_header
from tools.sandbox.stripe.objects import DeliveryAttempt, EventRecord

USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


def sender(clock: Clock, *, timeout_seconds: float) -> Callable[[str, str, EventRecord], DeliveryAttempt]:
    """Return a function that sends an event to a URL, signed with a secret, and tells what came of it."""

    def send(url: str, secret: str, record: EventRecord) -> DeliveryAttempt:
        started = clock.now()
        status, error = None, None
        try:
            status = _post(url, secret, int(started), _payload(record), timeout_seconds)
        except (OSError, http.client.HTTPException, ValueError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        return DeliveryAttempt(started, status, error, round((clock.now() - started) * 1000))

    return send


def _payload(record: EventRecord) -> bytes:
    return json.dumps(record.body, indent=2).encode()


def _post(url: str, secret: str, timestamp: int, payload: bytes, timeout_seconds: float) -> int:
    # Redirects are not followed: to Stripe they are failures.
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=timeout_seconds)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": USER_AGENT,
        "Stripe-Signature": signature_header(secret, timestamp, payload),
        "Connection": "close",
    }
    try:
        connection.request("POST", path, body=payload, headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()
