"""The one class that Django looks for in a backend."""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes live connections from the pool, without a round trip.

    The server says goodbye when it ends a connection (a restart, a failover, a time-out), which makes our end readable;
    while nothing is asked of it, it says nothing else. Django's CONN_HEALTH_CHECKS would send a query each time.
    """

    def get_connection_params(self) -> dict[str, Any]:
        """Return connection parameters, with user and host of the current secret."""
        params: dict[str, Any] = super().get_connection_params()
        for word, value in self.settings_dict["CURRENT_ADDRESS"]().items():
            params.pop(word, None)
            params |= {word: value} if value else {}
        return params

    def chunked_cursor(self) -> Any:
        """Return a cursor at the server inside a transaction only.

        Outside of one it would have to outlive its transaction, and a pooler that gives each transaction another
        connection to the server (PgBouncer) loses it; there, the rows are read at once.
        """
        return super().chunked_cursor() if self.in_atomic_block else self.cursor()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a live connection.

        Dead ones are given back for the pool to replace.

        Raises:
            PoolTimeout: There is none to be had in time.
        """
        connection = super().get_new_connection(conn_params)
        while self.pool and not is_connected(connection):
            connection.close()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def is_connected(connection: Connection[Any]) -> bool:
    """Tell whether an idle connection is live.

    Only if the server has sent something, it is asked.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return True
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        return False
    return True
