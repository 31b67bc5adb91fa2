"""Databases in the benchmarks' server; one is in use at a time."""

import os
import time
from urllib.parse import urlsplit, urlunsplit

from django.core.management import call_command
from django.db import connection

_BUSY = """
SELECT EXISTS (SELECT FROM pg_stat_activity
               WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
                 AND (state <> 'idle' OR state_change > clock_timestamp() - interval '1 second'))
"""


def make(name: str) -> None:
    """Use a database, which is made if it is not there, and brought up to date."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [name])
        if not cursor.fetchone()[0]:
            cursor.execute(f'CREATE DATABASE "{name}"')
    use(name)
    call_command("migrate", verbosity=0)


def copy_anew(name: str) -> str:
    """Copy a database, in the place of its last copy; returns the copy's name."""
    copy = f"{name}_copy"
    use("postgres")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}" STRATEGY file_copy')
    return copy


def use(name: str) -> None:
    """Use a database from here on, in this process and in those that it starts."""
    disconnect()
    connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def disconnect() -> None:
    """Let go of every connection of this process; the next query makes another."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's


def wait_until_quiet() -> None:
    """Wait until nobody else has asked anything for a second: a server goes on with what its clients have given up."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_BUSY)
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.1)
