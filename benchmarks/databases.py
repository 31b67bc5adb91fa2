"""Databases beside each other in the benchmarks' server, one of which is in use at a time."""

import os
from urllib.parse import urlsplit, urlunsplit

from django.core.management import call_command
from django.db import connection


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
        cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
    return copy


def use(name: str) -> None:
    """Use a database from here on, in this process and in those that it starts."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's
    connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
