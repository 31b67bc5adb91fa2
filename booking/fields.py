"""Columns of PostgreSQL's own types that Django has no field for."""

from typing import Any

from django.db import models


class MultirangeField(models.Field[Any, Any]):
    """A set of time ranges; those that overlap or touch become one."""

    def db_type(self, connection: Any) -> str:
        """Name the type of the column."""
        return "tstzmultirange"


class UuidRangeField(models.Field[Any, Any]):
    """A range of one id, for an exclusion constraint without an extension."""

    def db_type(self, connection: Any) -> str:
        """Name the type of the column; the migration makes it."""
        return "uuidrange"
