"""Columns of PostgreSQL's own types that Django has no field for."""

from typing import Any

from django.db import models


class MultirangeField(models.Field[Any, Any]):
    """Times from … to …, as many as there are; those that overlap or touch are one."""

    def db_type(self, connection: Any) -> str:
        """Name the type of the column."""
        return "tstzmultirange"


class UuidRangeField(models.Field[Any, Any]):
    """A range of ids: of one id, it is what an exclusion constraint can compare without an extension."""

    def db_type(self, connection: Any) -> str:
        """Name the type of the column; the migration makes it."""
        return "uuidrange"
