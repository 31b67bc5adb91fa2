"""Lists are paged by cursor, newest first: ids are time-ordered, so the page stays right while rows arrive."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import ValidationError


class NewestFirst(CursorPagination):
    """Cursor pages in descending order of id."""

    ordering: Any = "-id"
    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        """Read a page.

        Raises:
            ValidationError: The cursor is not one that we gave.
        """
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, DjangoValidationError, ValueError) as error:
            message = "This cursor is not one that we gave."
            raise ValidationError(param="cursor", code="invalid_cursor", message=message) from error

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
            "previous": {**link, "example": f"{here}?cursor=cj0xJnA9MDE5YTlmNmU%3D"},
        }
        return {"type": "object", "required": ["results", "next", "previous"], "properties": properties}
