"""The pool: what the server has ended is never handed out, and a connection that is good is asked nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from common.postgresql.base import DatabaseWrapper, is_connected

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pooled() -> Iterator[DatabaseWrapper]:
    """A connection to the same database that takes from a pool of one."""
    options = connection.settings_dict["OPTIONS"] | {"pool": {"min_size": 1, "max_size": 1, "timeout": 10}}
    given = connection.settings_dict | {"OPTIONS": options, "CONN_HEALTH_CHECKS": False}
    wrapper = DatabaseWrapper(given, alias="pooled")
    try:
        yield wrapper
    finally:
        wrapper.close()
        wrapper.close_pool()


def pid_of(wrapper: DatabaseWrapper) -> int:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    wrapper.close()
    return int(pid)


def test_a_good_connection_is_used_again_and_asked_nothing(
    pooled: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pid_of(pooled)
    monkeypatch.setattr("common.postgresql.base.ConnectionPool.check_connection", pytest.fail)
    assert pid_of(pooled) == first


def test_one_that_the_server_has_ended_is_replaced(pooled: DatabaseWrapper) -> None:
    first = pid_of(pooled)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    assert pid_of(pooled) != first
    assert pooled.pool.get_stats()["pool_size"] == 1


def test_one_on_which_the_server_has_said_something_is_asked(pooled: DatabaseWrapper) -> None:
    pooled.ensure_connection()
    raw: Any = pooled.connection
    raw.execute("LISTEN heard")
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY heard")
    assert is_connected(raw)
    assert pid_of(pooled) == raw.info.backend_pid


def test_statements_are_planned_once(pooled: DatabaseWrapper) -> None:
    with pooled.cursor() as cursor:
        for number in range(10):
            cursor.execute("SELECT %s::int", [number])
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::int%%'")
        assert cursor.fetchone() == (1,)
