"""Starts the sandbox: `python -m tools.sandbox --port 8001 --webhook-url http://127.0.0.1:8000/webhooks/stripe …`."""

import argparse
import os
import signal
import sys
from types import FrameType

from tools.sandbox.clock import ShiftedClock
from tools.sandbox.control import Control
from tools.sandbox.delivery import Deliveries, Endpoint
from tools.sandbox.ids import RandomIds
from tools.sandbox.sending import sender
from tools.sandbox.server import Server
from tools.sandbox.service import Sandbox

DEFAULT_API_KEY = "sk_test_sandbox"


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop. Returns the exit code."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.webhook_url and not chosen.webhook_secret:
        parser.error("--webhook-url needs --webhook-secret")
    server, deliveries = build(chosen)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    deliveries.start()
    sys.stdout.write(f"sandbox listening on http://{chosen.host}:{server.port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever(poll_interval=0.1)
    except SystemExit:
        pass
    finally:
        deliveries.stop()
        server.server_close()
    return 0


def build(chosen: argparse.Namespace) -> tuple[Server, Deliveries]:
    """Put the parts together and bind the port."""
    clock = ShiftedClock()
    endpoint = Endpoint(chosen.webhook_url, chosen.webhook_secret) if chosen.webhook_url else None
    deliveries = Deliveries(
        send=sender(clock, timeout_seconds=chosen.delivery_timeout_seconds),
        endpoint=endpoint,
        retry_base_seconds=chosen.retry_base_seconds,
    )
    sandbox = Sandbox(api_key=chosen.api_key, clock=clock, ids=RandomIds(), publish=deliveries.publish)
    server = Server(chosen.host, chosen.port, sandbox, Control(sandbox, deliveries, clock), verbose=chosen.verbose)
    return server, deliveries


def _parser() -> argparse.ArgumentParser:
    environment = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m tools.sandbox", description="A local stand-in for Stripe.")
    parser.add_argument("--host", default=environment("SANDBOX_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(environment("SANDBOX_PORT", "8001")), help="0 picks a free one")
    parser.add_argument("--webhook-url", default=environment("SANDBOX_WEBHOOK_URL"), help="none: events stay here")
    parser.add_argument("--webhook-secret", default=environment("SANDBOX_WEBHOOK_SECRET"))
    parser.add_argument("--api-key", default=environment("SANDBOX_API_KEY", DEFAULT_API_KEY))
    parser.add_argument("--retry-base-seconds", type=float, default=1.0, help="first wait before a webhook is retried")
    parser.add_argument("--delivery-timeout-seconds", type=float, default=10.0)
    parser.add_argument("--verbose", action="store_true", help="one line per request")
    return parser


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
