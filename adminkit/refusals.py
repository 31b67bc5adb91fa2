"""Messages for forms that the database refuses after they were checked."""

from collections.abc import Mapping

from django.db import IntegrityError, OperationalError
from psycopg.errors import UniqueViolation

from common import database
from common.errors import BusyError

_THERE_ALREADY = "This already exists: somebody has just added it, or it is in the form twice."


def refusal(error: IntegrityError | OperationalError, known: Mapping[str, str]) -> str | None:
    """Return a refusal in words; None if it is our fault.

    ``known`` has the words for constraints, by name.
    """
    if isinstance(error, IntegrityError):
        told = known.get(database.violated(error), _THERE_ALREADY if _is_twice(error) else "")
    else:
        told = BusyError().message if isinstance(error.__cause__, database.CONTENTION) else ""
    return f"{told} Nothing was changed." if told else None


def _is_twice(error: IntegrityError) -> bool:
    return isinstance(error.__cause__, UniqueViolation)
