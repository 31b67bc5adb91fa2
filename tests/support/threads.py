"""Threads that begin at one moment, each on a connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, connections

T = TypeVar("T")


def race(runs: Sequence[Callable[[], T]]) -> list[T]:
    """Run all at once and return what they return, in their order; raises what the first of them raised."""
    start = threading.Barrier(len(runs))

    def alone(run: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            start.wait(timeout=60)
            return run()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(runs)) as pool:
        return list(pool.map(alone, runs))


def deadlocks() -> int:
    """Count the deadlocks that this database has seen; a backend tells of its own at the latest when it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (number,) = cursor.fetchone()
    return int(number)


def waiting() -> int:
    """Count the connections that wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees one picture of them otherwise
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        (number,) = cursor.fetchone()
    return int(number)
