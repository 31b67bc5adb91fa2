"""The throw-away PostgreSQL of a test run: one for all its processes, in a directory of its own, gone at the end."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import psutil
from django.db import connection
from django.test import TransactionTestCase

from config import embedded_postgres

PREFIX = "holdfast-tests-"

_SWITCH = """
DO $$
DECLARE guard record;
BEGIN
    FOR guard IN SELECT tgrelid::regclass AS of_table, tgname FROM pg_trigger WHERE tgname = 'is_never_emptied' LOOP
        EXECUTE format('ALTER TABLE %s {} TRIGGER %I', guard.of_table, guard.tgname);
    END LOOP;
END $$
"""
EMPTYING = (_SWITCH.format("DISABLE"), _SWITCH.format("ENABLE"))
"""What stands before and after a TRUNCATE of everything: the owner has the guards off in that transaction alone."""


_EMPTY = """
DO $$
DECLARE
    filled regclass[] := '{}';
    one regclass;
    is_filled boolean;
BEGIN
    FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission') LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO is_filled;
        IF is_filled THEN
            filled := filled || one;
        END IF;
    END LOOP;
    FOREACH one IN ARRAY filled LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', one);
    END LOOP;
    FOREACH one IN ARRAY filled LOOP
        EXECUTE format('DELETE FROM %s', one);
    END LOOP;
    SET CONSTRAINTS ALL IMMEDIATE;  -- a table whose triggers wait cannot be altered
    FOREACH one IN ARRAY filled LOOP
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER USER', one);
    END LOOP;
END $$
"""
_LARGE = """
SELECT EXISTS (SELECT FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
               AND pg_relation_size(oid) > 4000000)
"""


def let_tests_empty_it(operations: type[Any]) -> None:
    """Have this database emptied after a test in spite of the guards, and only where there is something.

    Django's own way is a TRUNCATE of every table, which costs more than most tests do, and makes content types and
    permissions anew. Where there is much, as after a test at size, it is the faster one.
    """
    truncating, (before, after) = operations.sql_flush, EMPTYING
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # Django's own name

    def written(self: Any, style: Any, tables: Any, **how: Any) -> list[str]:
        return [before, *truncating(self, style, tables, **how), after]

    def empty(case: TransactionTestCase) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_LARGE)
            (is_large,) = cursor.fetchone()
            if not is_large:
                cursor.execute(_EMPTY)
        if is_large:
            flush(case)

    operations.sql_flush = written
    TransactionTestCase._fixture_teardown = empty  # type: ignore[attr-defined]


def new_directory() -> Path:
    """Make the directory of this run; its name tells its owner, so that the leftovers of a killed run can be told."""
    process = psutil.Process()
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{process.pid}-{int(process.create_time())}-"))


def remove(directory: Path) -> None:
    """Stop the server in a run's directory, and remove both."""
    embedded_postgres.stop(directory / "postgres")
    shutil.rmtree(directory, ignore_errors=True)


def sweep() -> None:
    """Remove what runs left that were killed before they could do it themselves."""
    for directory in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if directory.stat().st_uid == os.geteuid() and not _is_in_use(directory):
            remove(directory)


def _is_in_use(directory: Path) -> bool:
    pid, created, *_ = directory.name.removeprefix(PREFIX).split("-")
    try:
        return int(psutil.Process(int(pid)).create_time()) == int(created)
    except (psutil.NoSuchProcess, ValueError):
        return False
