"""A running sandbox for each test to share, forgotten before each."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.sandbox_process import (
    API_KEY,
    WEBHOOK_SECRET,
    Client,
    Control,
    Receiver,
    client_of,
    start_sandbox,
    stop_sandbox,
)


@pytest.fixture(scope="session")
def shared_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.take(body, self.headers["Stripe-Signature"]))
            self.send_header("Location", receiver.url)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks/stripe"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield receiver
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    process, url = start_sandbox("--port", "0", "--api-key", API_KEY)
    yield url
    stop_sandbox(process)


@pytest.fixture(scope="session")
def delivering_url(shared_receiver: Receiver) -> Iterator[str]:
    process, url = start_sandbox(
        *("--port", "0", "--api-key", API_KEY, "--retry-base-seconds", "0.05"),
        *("--webhook-url", shared_receiver.url, "--webhook-secret", WEBHOOK_SECRET),
    )
    yield url
    stop_sandbox(process)


@pytest.fixture
def control(sandbox_url: str) -> Control:
    """The control of a sandbox without a webhook endpoint."""
    control = Control(sandbox_url)
    control.post("reset")
    return control


@pytest.fixture
def client(control: Control) -> Client:
    """The official client of that sandbox, never retrying by itself."""
    return client_of(control.url)


@pytest.fixture
def delivering(delivering_url: str, shared_receiver: Receiver) -> Control:
    """The control of a sandbox that delivers to the receiver."""
    control = Control(delivering_url)
    control.post("webhooks", {"url": shared_receiver.url})
    control.post("reset")
    shared_receiver.forget()
    return control


@pytest.fixture
def receiver(delivering: Control, shared_receiver: Receiver) -> Receiver:
    return shared_receiver


@pytest.fixture
def delivering_client(delivering: Control) -> Client:
    return client_of(delivering.url)
