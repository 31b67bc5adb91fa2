"""Lists over large tables: counts, searches and filters use an index."""

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
"""Rows of a list that are counted at once: so many more each time that one has paged through the last of them."""
_DEEPEST = 100_000
"""No list is paged through further; what lies behind is found by a search, a filter or a day."""


class BoundedPaginator(Paginator[Any]):
    """Counts rows up to ``reach`` only.

    Counting a million rows takes longer than the rest of the page.
    """

    reach: int = MOST

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, at most ``reach``."""
        rows: Any = self.object_list
        return int(rows[: self.reach].count())  # in the list's order, for which there is an index

    @property
    def has_more(self) -> bool:
        """Whether there may be rows behind those that were counted."""
        return self.count >= self.reach


def reach(page: str, per_page: int) -> int:
    """Return how many rows are counted for a page.

    ``MOST``, and ``MOST`` more with each that is full.
    """
    try:
        number = int(page)
    except ValueError:
        number = 1
    return min(MOST * (1 + max(0, number) * per_page // MOST), _DEEPEST)


class OwnRowsFilter(admin.RelatedFieldListFilter):
    """Offers the rows that the person may see, used or not.

    Finding the used ones would read the large table.
    """

    def field_choices(
        self, field: ForeignKey[Any, Any] | ManyToOneRel | Any, request: HttpRequest, model_admin: Any
    ) -> list[Any]:
        """List what to choose from."""
        rows = scoping.visible_to(field.related_model._default_manager.all(), request.user)
        return [(str(row.pk), str(row)) for row in rows.order_by("name")]


def exactly(rows: QuerySet[Any], *, fields: Sequence[str], text: str) -> QuerySet[Any]:
    """Keep the rows where one of the fields equals a text.

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
