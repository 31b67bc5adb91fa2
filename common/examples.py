"""Examples in OpenAPI: one object of each kind, told once."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

ID = "019a9f6e-0f3c-7c6e-9d3a-5b1f0c2d4e6f"
OTHER_ID = "019a9f6e-1a2b-7d3c-8e4f-6a7b8c9d0e1f"
MADE_AT = "2026-11-21T09:30:00.125000Z"


def asked(title: str, value: Any) -> OpenApiExample:
    """Show a request."""
    return OpenApiExample(title, value=value, request_only=True)


def answered(value: Any, *, status: int = 200) -> OpenApiExample:
    """Show an answer."""
    return OpenApiExample(f"{status}", value=value, response_only=True, status_codes=[str(status)])


def page(row: Any) -> OpenApiExample:
    """Show one row of a list; drf-spectacular puts the page around it."""
    return OpenApiExample("200", value=row, response_only=True, status_codes=["200"])
