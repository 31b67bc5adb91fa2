"""Connecting from a pool of the process, or through a pooler: this process, and those that it starts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection

from common import database
from tests.support import services

TIME_OUTS = {"lock_timeout": 3_000, "statement_timeout": 30_000, "idle_in_transaction_session_timeout": 60_000}

PORT = "POOLER_PORT"
"""The variable that names the pooler's port where a whole run of pytest leads through one."""
IS_LED = PORT in os.environ
"""Whether this run leads through one: it cannot start another, as it does not know the server behind it."""


def connect_anew() -> None:
    """Have the pooler of the run, if there is one, make new connections to the server from now on."""
    if port := os.environ.get(PORT):
        console = f"host=127.0.0.1 port={port} dbname=pgbouncer user={services.ADMIN}"
        with psycopg.connect(console, autocommit=True) as told:
            told.execute("RECONNECT")
            told.execute("WAIT_CLOSE")


@contextmanager
def in_use(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take connections from a pool of this process, as a web process does."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pool", {"min_size": 0, "max_size": 2})
    yield
    connection.close()
    database.use_no_pool()


def set_time_outs(*, are_set: bool = True) -> None:
    """Give our role its time-outs in this database, as docs/operations.md says, or take them away."""
    given = connection.settings_dict
    with connection.cursor() as cursor:
        for name, value in TIME_OUTS.items():
            what = f"SET {name} = {value}" if are_set else f"RESET {name}"
            cursor.execute(f"ALTER ROLE {given['USER']} IN DATABASE {given['NAME']} {what}")


@contextmanager
def led_through(pooler: services.Program, **options: Any) -> Iterator[None]:
    """Have this process connect through the pooler; an option that is False is left out."""
    kept = connection.settings_dict["OPTIONS"] | options
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "OPTIONS", {name: it for name, it in kept.items() if it is not False})
        patch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        patch.setitem(connection.settings_dict, "PORT", str(pooler.port))
        yield
        connection.close()


def url_through(pooler: services.Program) -> str:
    given = connection.settings_dict
    return f"postgresql://{given['USER']}@127.0.0.1:{pooler.port}/{given['NAME']}"
