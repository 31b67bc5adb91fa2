"""Stripe's events as tests hand them in: read from the sandbox, signed, and posted to the webhook in-process."""

import hashlib
import hmac
import json
import time
from typing import Any

import requests
from django.test import Client

from tests.support.environment import VALUES
from tests.support.sandbox_client import Sandbox

SECRET = VALUES["STRIPE_WEBHOOK_SECRETS"]


def happened(sandbox: Sandbox, kind: str = "", *, account: str = "") -> list[dict[str, Any]]:
    """Return the events of the sandbox (of one type, if given) as Stripe renders them, oldest first.

    ``account``: those of a connected account, which they name as at the platform's endpoint.
    """
    with requests.Session() as session:
        session.trust_env = False
        params = {"limit": "100"} | ({"type": kind} if kind else {})
        headers = {"Stripe-Account": account} if account else {}
        auth = (VALUES["STRIPE_API_KEY"], "")
        answer = session.get(f"{sandbox.url}/v1/events", params=params, auth=auth, headers=headers, timeout=30)
    assert answer.ok, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return [event | ({"account": account} if account else {}) for event in reversed(found)]


def only(sandbox: Sandbox, kind: str) -> dict[str, Any]:
    """Return the one event of a type that there must be."""
    (event,) = happened(sandbox, kind)
    return event


def sign(body: bytes, *, secret: str = SECRET, at: int | None = None) -> str:
    """Write the Stripe-Signature header for a body."""
    at = int(time.time()) if at is None else at
    signature = hmac.new(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()
    return f"t={at},v1={signature}"


def deliver(event: dict[str, Any], *, path: str = "/webhooks/stripe", secret: str = SECRET) -> Any:
    """Post an event to our webhook, signed; returns the answer."""
    body = json.dumps(event).encode()
    return post(body, sign(body, secret=secret), path=path)


def post(body: bytes, signature: str | None, *, path: str = "/webhooks/stripe") -> Any:
    """Post a raw body with a Stripe-Signature header to our webhook."""
    headers = {} if signature is None else {"Stripe-Signature": signature}
    return Client(raise_request_exception=False).post(path, data=body, content_type="application/json", headers=headers)


def deliver_all(sandbox: Sandbox, *, account: str = "") -> None:
    """Post every event that the sandbox has (of an account), in order; each must be taken."""
    for event in happened(sandbox, account=account):
        answer = deliver(event)
        assert answer.status_code == 200, answer.content
