"""What the database refuses, also what it says only at COMMIT."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction


def is_refused(statement: str, values: Mapping[str, Any]) -> bool:
    """Tell whether a statement breaks a constraint; nothing of it is kept.

    One that cannot be read, or that finds no row, raises: it is no refusal.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            assert cursor.rowcount == 1, statement
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
    except IntegrityError:
        return True
    return False
