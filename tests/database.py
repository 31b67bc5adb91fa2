"""The throw-away PostgreSQL of a test run: one for all its processes, in a directory of its own, gone at the end."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import psutil

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


def let_tests_empty_it(operations: type[Any]) -> None:
    """Have Django's flush, which is a TRUNCATE, empty this database after a test in spite of the guards."""
    flush, (before, after) = operations.execute_sql_flush, EMPTYING
    operations.execute_sql_flush = lambda self, statements: flush(self, [before, *statements, after])


def new_directory() -> Path:
    """Make the directory of this run; its name tells whose it is, so that the leftovers of a killed run can be told."""
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
