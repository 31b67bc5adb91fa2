"""HTTP: requests read from the socket, answers written to it, or the connection closed without one."""

import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tools.sandbox import form
from tools.sandbox.control import PREFIX, Control
from tools.sandbox.messages import Answer, Request
from tools.sandbox.service import Sandbox


class Server(ThreadingHTTPServer):
    """One thread per connection; /_sandbox is the control, everything else Stripe.

    Not werkzeug's server: that closes every connection after one answer, and clients here reuse theirs.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host: str, port: int, sandbox: Sandbox, control: Control, *, verbose: bool = False) -> None:
        self.sandbox = sandbox
        self.control = control
        self.verbose = verbose
        super().__init__((host, port), _Handler)

    @property
    def port(self) -> int:
        """Return the port that is listened on, also when any free one was asked for."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        # Without HTTPServer's own, which looks the host's name up and can wait long for it.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        target = self.control if request.path.startswith(PREFIX) else self.sandbox
        return target.answer(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients that hang up are part of what the sandbox is for.
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Reads requests from one connection until it is closed."""

    server: Server
    protocol_version = "HTTP/1.1"
    # The head and the body of an answer leave in one packet, at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def version_string(self) -> str:
        return "sandbox"

    def log_message(self, format: str, *args: Any) -> None:
        if self.server.verbose:
            sys.stderr.write(f"{format % args}\n")

    def _serve(self) -> None:
        request = self._read()
        if request is None:
            self.close_connection = True
            return
        answer = self.server.answer(request)
        if answer.dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-cache, no-store")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _read(self) -> Request | None:
        """Return the request, None when the client hung up before all of it had come."""
        address = urlsplit(self.path)
        path = unquote(address.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            return None
        if "Transfer-Encoding" in self.headers:
            # Such a body is not read, so what follows on the connection could not be told from it.
            self.close_connection = True
        encoded = address.query if self.command != "POST" or path.startswith(PREFIX) else body.decode(errors="replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, path, form.parse(encoded), headers, body)
