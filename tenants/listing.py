"""Lists of the backoffice over large tables: what they count, search and choose from goes through an index."""

from collections.abc import Sequence
from functools import cached_property, reduce
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import ForeignKey, ManyToOneRel, QuerySet
from django.http import HttpRequest

from tenants import scoping

MOST = 1_000
"""Rows of a list that are counted and paged through; older ones are found by a search, a filter or a day."""


class BoundedPaginator(Paginator[Any]):
    """Counts no further than ``MOST``: counting a million rows to write a number takes longer than all the rest."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, at most ``MOST``."""
        rows: Any = self.object_list
        return int(rows[:MOST].count())  # in the list's order, for which there is an index


class OwnRowsFilter(admin.RelatedFieldListFilter):
    """Choices are the rows that the person may see, used or not: which are used would be read from the large table."""

    def field_choices(
        self, field: ForeignKey[Any, Any] | ManyToOneRel | Any, request: HttpRequest, model_admin: Any
    ) -> list[Any]:
        """List what to choose from."""
        rows = scoping.visible_to(field.related_model._default_manager.all(), request.user)
        return [(str(row.pk), str(row)) for row in rows.order_by("name")]


def exactly(rows: QuerySet[Any], *, fields: Sequence[str], text: str) -> QuerySet[Any]:
    """Keep the rows of which one of the fields is a text.

    Each field is looked up by itself and the results united: an OR across tables uses no index.
    """
    found = []
    for field in fields:
        try:
            found.append(rows.model._default_manager.order_by().filter(**{field: text}).values("pk"))
        except (ValidationError, ValueError):  # no such id can be
            continue
    if not found:
        return rows.none()
    return rows.filter(pk__in=reduce(lambda some, more: some.union(more), found))
