"""``python -m tests.support.through_pooler [arguments of pytest]``: tests that connect through PgBouncer only."""

import os
import subprocess
import sys

import psycopg
from dj_database_url import parse

from config import embedded_postgres
from tests.support import database, services
from tests.support.environment import ROOT
from tests.support.pooling import PORT, TIME_OUTS

DEFAULT = ("tests/sweeps", "tests/reconciliation", "tests/booking", "tests/payments", "tests/webhooks")


def main(arguments: list[str]) -> int:
    """Run pytest; returns how it ended."""
    if services.PGBOUNCER is None:
        sys.stderr.write("PgBouncer is not installed: nothing was run through it.\n")
        return 1
    database.sweep()
    directory = database.new_directory()
    try:
        url = embedded_postgres.ensure_running(directory / "postgres", durable=False)
        with psycopg.connect(url, autocommit=True) as connection:
            for name, value in TIME_OUTS.items():
                connection.execute(f"ALTER ROLE {embedded_postgres.ROLE} SET {name} = {value}")
        with services.pgbouncer(dict(parse(url)), pool_size=40) as pooler:
            named = f"postgresql://{embedded_postgres.ROLE}@127.0.0.1:{pooler.port}/{embedded_postgres.DATABASE}"
            how = {"DATABASE_URL": named, "DATABASE_PREPARE": "false", "DATABASE_STARTUP_OPTIONS": "false"}
            how[PORT] = str(pooler.port)
            # The database is not dropped: the pooler keeps connections to it; its directory goes in the end.
            command = [sys.executable, "-m", "pytest", "-q", "--reuse-db", *(arguments or DEFAULT)]
            return subprocess.run(command, cwd=ROOT, env=os.environ | how, check=False).returncode
    finally:
        database.remove(directory)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
