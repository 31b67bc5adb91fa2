"""gunicorn's threaded worker, with threads of their own for probes.

And a way for connections that have sent nothing yet.
"""

import re
import selectors
import socket
import time
from concurrent import futures
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

_LIVE = re.compile(rb"(GET|HEAD) /health[ ?]")
_PROBE = re.compile(rb"(GET|HEAD) /(health/(ready|status)|metrics)[ ?]")
_HEAD_BYTES = 4096


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Answers probes while every thread waits for the database.

    No restart is tried for a database's fault.

    A connection waits in the poller until its client has sent something: one that stays silent holds no thread.
    """

    def init_process(self) -> None:
        """Begin, after the fork."""
        self._live = futures.ThreadPoolExecutor(1, thread_name_prefix="live")
        self._probes = futures.ThreadPoolExecutor(2, thread_name_prefix="probes")
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Take a connection and wait for its first bytes."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another process was faster, or the client has gone
            return
        self.nr_conns += 1
        connection = TConn(self.cfg, client, address, listener.getsockname())
        connection.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(connection)
        self.poller.register(
            connection.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, connection)
        )

    def enqueue_req(self, conn: TConn) -> None:
        """Give a request to a thread; a complete probe has its own."""
        head = _head_of(conn.sock)
        pool = self.tpool
        if b"\r\n\r\n" in head:
            pool = self._live if _LIVE.match(head) else self._probes if _PROBE.match(head) else pool
        done: Any = pool.submit(self.handle, conn)
        done.add_done_callback(lambda ended: self.method_queue.defer(self.finish_request, conn, ended))

    def run(self) -> None:
        """Serve until told to stop."""
        super().run()
        self._live.shutdown(wait=False)
        self._probes.shutdown(wait=False)


def _head_of(client: socket.socket) -> bytes:
    """Look at what a client has sent, and leave it there."""
    try:
        return client.recv(_HEAD_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return b""
