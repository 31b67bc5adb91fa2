"""A database of other migrations than this code's: told of in a sentence, and put aside when that is asked for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings

from common import connecting
from tools.demo import places
from tools.demo.supervisor import StartError

_SIGNS = re.compile(
    r"InconsistentMigrationHistory|Duplicate(Table|Column|Object)|Undefined(Table|Column|Object|Function)"
)
"""How a command ends on tables that other migrations have made."""


class OtherMigrationsError(StartError):
    """The database is of another state of the code."""

    def __init__(self, sign: str) -> None:
        where = (
            "The database that DATABASE_URL names" if settings.DATABASE_URL else f"The database in {places.POSTGRES}"
        )
        way = "Name another one." if settings.DATABASE_URL else "`make fresh` puts it aside and deletes nothing."
        super().__init__(f"The database {where} was made by other migrations than this code has ({sign}). {way}")


def refuse() -> None:
    """Look whether the database knows migrations of ours that this code does not.

    Raises:
        OtherMigrationsError: It does.
    """
    known = {(path.parent.parent.name, path.stem) for path in places.ROOT.glob("*/migrations/[0-9]*.py")}
    apps = [app for app, _ in known]
    with connecting.connect() as connection:
        (is_new,) = connection.execute("SELECT to_regclass('django_migrations') IS NULL").fetchone() or (True,)
        if is_new:
            return
        rows = "SELECT app, name FROM django_migrations WHERE app = ANY(%s) ORDER BY app, name"
        strange = [row for row in connection.execute(rows, [apps]).fetchall() if tuple(row) not in known]
    if strange:
        app, name = strange[0]
        raise OtherMigrationsError(f"{app}.{name}")


@contextmanager
def explained() -> Iterator[None]:
    """Say in a sentence why commands fail that prepare a database of other migrations.

    Raises:
        OtherMigrationsError: What failed shows that.
    """
    try:
        yield
    except OtherMigrationsError:
        raise
    except StartError as error:
        sign = _SIGNS.search(str(error))
        if sign is None:
            raise
        raise OtherMigrationsError(sign[0]) from error


def put_aside(*, now: datetime) -> Path | None:
    """Rename the directory of the stopped embedded database, so that the next start makes a new one; None: no such."""
    if not places.POSTGRES.exists():
        return None
    aside = places.POSTGRES.with_name(f"postgres-until-{now:%Y%m%dT%H%M%S}")
    places.POSTGRES.rename(aside)
    return aside
