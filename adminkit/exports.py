"""Lists of the backoffice as JSON, streamed row by row as filtered.

CSV is not offered: a guest's name that begins with = is a formula in the program that opens it.
https://owasp.org/www-community/attacks/CSV_Injection
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.text import slugify

from common.times import rfc3339

_CHUNK = 1_000


Values = Mapping[str, Callable[[dict[str, Any]], Any]]


def answer(rows: QuerySet[Any], *, fields: Sequence[str], values: Values) -> StreamingHttpResponse:
    """Answer with the named fields of rows as a JSON array.

    In memory are all ids, and no more than one chunk of rows.

    ``values`` works out what is told of a field. A Decimal is written as the number that it is, digit by digit.
    """
    name = slugify(rows.model._meta.verbose_name_plural or rows.model.__name__)
    return StreamingHttpResponse(
        _written(_read(rows, fields), values),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}.json"', "Cache-Control": "no-store"},
    )


def _read(rows: QuerySet[Any], fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Read rows by their ids, chunk by chunk: a cursor at the server would need one transaction for as long as it takes
    a browser to load the file."""
    ids = list(rows.values_list("pk", flat=True))
    for begun in range(0, len(ids), _CHUNK):
        chunk = ids[begun : begun + _CHUNK]
        found = {row["pk"]: row for row in rows.order_by().filter(pk__in=chunk).values("pk", *fields)}
        for row in (found[key] for key in chunk if key in found):
            yield {name: row[name] for name in fields}


def _written(rows: Iterable[dict[str, Any]], values: Values) -> Iterator[str]:
    yield "["
    separator = "\n"
    for row in rows:
        told = row | {name: work_out(row) for name, work_out in values.items()}
        yield separator + "{" + ", ".join(f"{json.dumps(name)}: {_value(told[name])}" for name in told) + "}"
        separator = ",\n"
    yield "\n]\n"


def _value(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return json.dumps(rfc3339(value) if isinstance(value, datetime) else value, default=str, ensure_ascii=False)
