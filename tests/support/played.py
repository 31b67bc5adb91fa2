"""A Stripe that is played: it answers each path with what a test says, however odd."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pytest_django import Settings

from payments.providers import registry
from tests.support import providers

Answers = dict[str, Any]
"""By path: JSON, the bytes of a body, or a function of the account and the query that returns one of them."""


@contextmanager
def play(settings: Settings) -> Iterator[Answers]:
    """Be Stripe for a moment."""
    answers: Answers = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            answer = answers[asked.path]
            if callable(answer):
                query = {name: values[0] for name, values in parse_qs(asked.query).items()}
                answer = answer(self.headers.get("Stripe-Account", ""), query)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    providers.configure(settings, api_base=f"http://127.0.0.1:{server.server_address[1]}")
    registry.get.cache_clear()
    try:
        yield answers
    finally:
        registry.get.cache_clear()
        server.shutdown()
        server.server_close()


def page(*rows: Any, more: bool = False) -> bytes:
    """Write a page of a list; a row that is bytes is written as it is."""
    written = b", ".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    return b'{"object": "list", "has_more": %s, "data": [%s]}' % (b"true" if more else b"false", written)


def deep(levels: int, **fields: Any) -> bytes:
    """Write an object in which something is nested so deep."""
    return json.dumps(fields | {"deep": 0})[:-2].encode() + b'{"a":' * levels + b"1" + b"}" * levels + b"}"
