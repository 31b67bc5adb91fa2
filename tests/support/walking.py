"""Walks every address that there is, as somebody with no business there, and says what they got to see."""

import itertools
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.contrib.messages import get_messages
from django.db import DatabaseError, transaction
from django.db.models import CharField, JSONField, Model, TextField
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from drf_spectacular.generators import SchemaGenerator

from payments.models import ProviderThrottle
from sweeps.models import SweepRun

SHARED = (SweepRun, ProviderThrottle)
"""What all of the staff read: it is of no operator, and must tell of none."""
_OF_ERRORS = re.compile(r"error|summary|because$|evidence|difference$|refusals|^done$|failure_message")
_PARAMETER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")


@dataclass(frozen=True, slots=True)
class Leak:
    """Something of another operator's that was told."""

    request: str
    mark: str


def addresses(prefix: str, keys: Iterable[object]) -> Iterator[str]:
    """List every address below a prefix, each with every one of the keys in the place of what it leaves open."""
    written = [str(key) for key in keys]
    for pattern in sorted(set(_patterns(get_resolver().url_patterns))):
        if not pattern.startswith(prefix):
            continue
        names = [found["name"] for found in _PARAMETER.finditer(pattern)]
        for key in written if names else written[:1]:
            yield "/" + _PARAMETER.sub(key, pattern)


def _patterns(found: Iterable[Any], before: str = "") -> Iterator[str]:
    for pattern in found:
        here = before + str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern) and "(?P" not in here:
            yield here


def told(marks: Iterable[str], request: str, body: bytes) -> Iterator[Leak]:
    """Say which marks an answer has that the request did not have itself."""
    text = body.decode(errors="replace")
    for mark in marks:
        if mark in text and mark not in request:
            yield Leak(request, mark)


def visit(client: Client, path: str, body: dict[str, str] | None = None) -> bytes:
    """GET a path, or POST to it, and return all that is told: the page that it ends at, or the messages at the first.

    The first page is told by its messages alone, since most walks end there; a fault of ours is one of the test too.
    """
    answer: Any = client.get(path) if body is None else client.post(path, body)
    for _ in range(10):
        assert answer.status_code < 500 or path.startswith("/health"), path
        where: str = answer.headers.get("Location", "")
        if where == reverse("admin:index"):
            client.cookies.pop("messages", None)
            return "\n".join(str(message) for message in get_messages(answer.wsgi_request)).encode()
        if not where.startswith(("/", "?", ".")):
            return content(answer) + where.encode()
        answer = client.get(urljoin(answer.wsgi_request.path, where))
    raise AssertionError(f"{path} leads in a circle")


def content(answer: Any) -> bytes:
    """Return the body of an answer, streamed or not."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def look(client: Client, paths: Iterable[str], marks: Iterable[str]) -> Iterator[Leak]:
    """GET every path; a fault of ours is one of the test too."""
    marks = list(marks)
    for path in paths:
        yield from told(marks, path, visit(client, path))


def bodies(keys: Iterable[UUID]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Write, for each operation of the API that takes a body, bodies with each of the keys in its fields for ids."""
    keys = list(keys)
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if method in ("post", "patch"):
                example = _example(schema, operation)
                named = [name for name in example if name.endswith("_id")] or [""]
                found[method, path] = [
                    example | ({name: str(key)} if name else {}) for name, key in itertools.product(named, keys)
                ]
    return found


def _example(schema: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = [one["value"] for one in media.get("examples", {}).values()]
    reference = media.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    fields = schema["components"]["schemas"].get(reference, {}).get("properties", {})
    known = dict(examples[0]) if examples else {}
    return {**{name: str(uuid.uuid4()) for name in fields if name.endswith("_id")}, **known}


def write_errors(text: str) -> set[str]:
    """Write a text into every column of an owner's rows that tells why something went wrong; returns the columns.

    What is guarded against changes cannot be written, and is left out.
    """
    written = set()
    fields = [field for model in apps.get_models() if model not in SHARED for field in model._meta.concrete_fields]
    for field in fields:
        if not _OF_ERRORS.search(field.name) or not isinstance(field, CharField | TextField | JSONField):
            continue
        value = [text] if field.name == "refusals" else {"text": text} if isinstance(field, JSONField) else text
        try:
            with transaction.atomic():
                if field.model._default_manager.update(**{field.name: value}):
                    written.add(f"{field.model.__name__}.{field.name}")
        except DatabaseError:
            continue
    return written


def related(models: Iterable[type[Model]]) -> Iterator[str]:
    """List the queries of every autocomplete that the backoffice could be asked for."""
    for model in models:
        for field in model._meta.get_fields():
            if field.many_to_one and field.related_model in admin.site._registry:
                meta = model._meta
                for term in ("", "unseen", "a"):
                    yield (
                        f"/admin/autocomplete/?app_label={meta.app_label}&model_name={meta.model_name}"
                        f"&field_name={field.name}&term={term}"
                    )
