"""Every view and every field of the API is strict about text, found by introspection."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import get_resolver
from rest_framework import serializers

from common.parsers import StrictJSONParser
from common.serializers import StrictSerializer

pytestmark = pytest.mark.django_db


class TestIntrospection:
    def test_every_view_of_the_api_reads_bodies_strictly(self) -> None:
        views = [
            pattern.callback.cls
            for pattern in walk(get_resolver().url_patterns)
            if hasattr(getattr(pattern, "callback", None), "cls")
        ]
        assert len(views) > 15
        assert {parser for view in views for parser in view.parser_classes} == {StrictJSONParser}

    def test_every_text_that_is_taken_in_has_a_length(self) -> None:
        endless = [
            f"{kind.__name__}.{name}"
            for kind in subclasses(StrictSerializer)
            for name, field in kind().fields.items()
            if isinstance(field, serializers.CharField) and field.max_length is None
        ]
        assert endless == []

    def test_every_time_is_bounded(self) -> None:
        unbounded = [
            f"{kind.__name__}.{name}"
            for kind in subclasses(StrictSerializer)
            for name, field in kind().fields.items()
            if type(field) in (serializers.DateTimeField, serializers.DateField)
        ]
        assert unbounded == []


def walk(patterns: Any) -> Iterator[Any]:
    for pattern in patterns:
        yield from walk(pattern.url_patterns) if hasattr(pattern, "url_patterns") else [pattern]


def subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for inner in kind.__subclasses__():
        yield inner
        yield from subclasses(inner)
