"""P6: no transaction is open while a network is waited for, by any code and any client."""

import http.client
import smtplib
import socket
import ssl
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import redis
import requests
import stripe
from botocore.config import Config
from django.db import connection, transaction

from sweeps import registry as sweeps
from tests.support import stripe_events
from tests.support.aging import end_leases, let_checks_be_due, run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

_WAITS = ("connect", "connect_ex", "send", "sendall", "sendto", "recv", "recv_into")


class Watch:
    """What was done with sockets: how often, and what of it inside a transaction."""

    def __init__(self) -> None:
        self.number = 0
        self.inside: list[str] = []


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watch every socket of this process; PostgreSQL's are not Python's, and are not among them."""
    seen = Watch()
    for kind in (socket.socket, ssl.SSLSocket):
        for name in _WAITS:
            monkeypatch.setattr(kind, name, watched(getattr(kind, name), name, seen))
    return seen


def watched(call: Callable[..., Any], name: str, seen: Watch) -> Callable[..., Any]:
    """Note a call of a socket, and make it."""

    def made(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.number += 1
        if connection.in_atomic_block:
            seen.inside.append(name)
        return call(self, *args, **kwargs)

    return made


class TestNoNetworkInATransaction:
    def test_whatever_is_done(self, sandbox: Sandbox, watch: Watch) -> None:
        slot = SlotFactory.create(capacity=20)
        frontend = Frontend.of(slot)
        first, second, third = (frontend.reserve(slot).json()["reservation"]["id"] for _ in range(3))
        frontend.post(f"reservations/{first}/confirm")
        frontend.post(f"reservations/{second}/cancel")
        run_out(third)
        sandbox.fault("POST /v1/payment_intents", "error_after")
        frontend.reserve(slot)
        stripe_events.deliver_all(sandbox)
        before = watch.number
        let_checks_be_due()
        end_leases()
        for name in sweeps.SWEEPS:
            sweeps.run(name)
        assert watch.number > before > 0
        assert watch.inside == []


def refused() -> str:
    """Return the address of a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def by_boto(address: str) -> None:
    """Ask AWS for a secret."""
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    boto3.client(
        "secretsmanager", endpoint_url=f"http://{address}", region_name="eu-west-1", aws_access_key_id="a",
        aws_secret_access_key="b", config=once,
    ).get_secret_value(SecretId="x")  # fmt: skip


def by_stripe(address: str) -> None:
    """Ask Stripe for a balance."""
    there: Any = {"api": f"http://{address}"}
    stripe.StripeClient("sk_test_x", base_addresses=there, max_network_retries=0).v1.balance.retrieve()


CLIENTS: dict[str, Callable[[str], object]] = {
    "requests": lambda address: requests.get(f"http://{address}", timeout=1),
    "urllib": lambda address: urllib.request.urlopen(f"http://{address}", timeout=1),
    "http.client": lambda address: http.client.HTTPConnection(address, timeout=1).request("GET", "/"),
    "smtplib": lambda address: smtplib.SMTP("127.0.0.1", int(address.split(":")[1]), timeout=1),
    "redis": lambda address: redis.Redis.from_url(f"redis://{address}").ping(),
    "boto3": by_boto,
    "stripe": by_stripe,
}


class TestWatch:
    @pytest.mark.parametrize("client", sorted(CLIENTS))
    def test_a_call_inside_a_transaction_is_seen(self, watch: Watch, client: str) -> None:
        address = refused()
        with transaction.atomic(), pytest.raises(Exception):  # noqa: B017, PT011  # each has its own
            CLIENTS[client](address)
        assert watch.inside
        watch.inside.clear()
        with pytest.raises(Exception):  # noqa: B017, PT011
            CLIENTS[client](address)
        assert watch.inside == []
