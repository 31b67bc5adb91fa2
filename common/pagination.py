"""Pages by key: each follows the last row before it.

Whatever has changed meanwhile.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, Q
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from common.errors import ValidationError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """Where a page begins: after a row, or before it where ``back``; ``with_row`` takes that row in."""

    row: tuple[str, ...]
    back: bool = False
    with_row: bool = False

    def encoded(self) -> str:
        """Write it as one word."""
        flags = [name for name, is_set in (("back", self.back), ("with_row", self.with_row)) if is_set]
        return b64encode(urlencode({"p": self.row, "f": flags}, doseq=True).encode()).decode()

    @classmethod
    def decoded(cls, text: str) -> "_Cursor":
        """Read what :meth:`encoded` wrote; anything else is a ValueError, or means no row."""
        told = parse_qs(b64decode(text, validate=True).decode("ascii"))
        flags = set(told.get("f", ()))
        return cls(row=tuple(told.get("p", ())), back="back" in flags, with_row="with_row" in flags)


class NewestFirst(CursorPagination):
    """Pages by descending id.

    Ids are time-ordered, so a page stays right while rows arrive.
    """

    ordering: Any = "-id"
    keys: ClassVar[tuple[str, ...]] = ("id",)
    """The columns of the order; together they tell each row from every other."""
    newest_first: ClassVar[bool] = True
    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100

    _next: _Cursor | None = None
    _previous: _Cursor | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        """Read a page.

        Raises:
            ValidationError: The cursor is not one that we gave.
        """
        self.base_url = request.build_absolute_uri()
        size = self.get_page_size(request) or self.page_size
        cursor = self._cursor_of(request, queryset.model)
        back = cursor is not None and cursor.back
        if cursor is not None:
            queryset = queryset.filter(self._beyond(cursor))
        minus = "-" if self.newest_first != back else ""
        rows = list(queryset.order_by(*(minus + key for key in self.keys))[: size + 1])
        there_is_more, rows = len(rows) > size, rows[:size]
        if back:
            rows.reverse()
        self._note_links(cursor, rows, there_is_more)
        return rows

    def _cursor_of(self, request: Request, model: type[Model]) -> _Cursor | None:
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return None
        try:
            cursor = _Cursor.decoded(text)
            for key, value in zip(self.keys, cursor.row, strict=True):
                found = model._meta.get_field(key).to_python(value)  # type: ignore[union-attr]  # keys are columns
                if isinstance(found, datetime) and found.tzinfo is None:
                    raise ValueError("a time without its zone")
        except (DjangoValidationError, ValueError) as error:
            message = "This cursor is not valid."
            raise ValidationError(param="cursor", code="invalid_cursor", message=message) from error
        return cursor

    def _beyond(self, cursor: _Cursor) -> Q:
        """Match the rows beyond that of the cursor, in its direction."""
        beyond = "lt" if self.newest_first != cursor.back else "gt"
        *before, (last, value) = zip(self.keys, cursor.row, strict=True)
        found = Q(**{f"{last}__{beyond}{'e' if cursor.with_row else ''}": value})
        for key, other in reversed(before):
            found = Q(**{f"{key}__{beyond}e": other}) & (Q(**{f"{key}__{beyond}": other}) | found)
        return found

    def _note_links(self, cursor: _Cursor | None, rows: list[Any], there_is_more: bool) -> None:
        """Know where the pages beside this one begin; of an empty one, at the row that led here."""
        back = cursor is not None and cursor.back
        if there_is_more or back:
            self._next = self._at(rows[-1]) if rows else _turned(cursor)
        if cursor is not None and (there_is_more or not back):
            self._previous = self._at(rows[0], back=True) if rows else _turned(cursor)

    def _at(self, row: Any, *, back: bool = False) -> _Cursor:
        values = (getattr(row, key) for key in self.keys)
        texts = (value.isoformat() if isinstance(value, datetime) else str(value) for value in values)
        return _Cursor(row=tuple(texts), back=back)

    def get_next_link(self) -> str | None:
        """Return the URL of the next page, if there is one."""
        return self._link(self._next)

    def get_previous_link(self) -> str | None:
        """Return the URL of the previous page, if there is one."""
        return self._link(self._previous)

    def _link(self, cursor: _Cursor | None) -> str | None:
        if cursor is None:
            return None
        return replace_query_param(self.base_url or "", self.cursor_query_param, cursor.encoded())

    def get_paginated_response(self, data: Any) -> Response:
        """Answer in the contract's order of fields."""
        return Response({"results": data, "next": self.get_next_link(), "previous": self.get_previous_link()})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the page for OpenAPI."""
        here = "https://api.example.com/api/v1/…"
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {
            "results": schema,
            "next": {**link, "example": f"{here}?cursor=cD0wMTlhOWY2ZQ%3D%3D"},
            "previous": {**link, "example": f"{here}?cursor=cD0wMTlhOWY2ZSZmPWJhY2s%3D"},
        }
        return {"type": "object", "required": ["results", "next", "previous"], "properties": properties}


def _turned(cursor: _Cursor | None) -> _Cursor | None:
    """Look back from an empty page, over the row that led to it."""
    return None if cursor is None else _Cursor(row=cursor.row, back=not cursor.back, with_row=True)
