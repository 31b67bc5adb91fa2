"""Lists of the backoffice as JSON: what the list shows, filtered as it is, row by row as they are read.

CSV is not offered: a guest's name that begins with = is a formula to whoever opens it.
https://owasp.org/www-community/attacks/CSV_Injection
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.text import slugify

from common.times import rfc3339

_CHUNK = 1_000


def answer(rows: QuerySet[Any], *, fields: Sequence[str]) -> StreamingHttpResponse:
    """Answer with the named fields of rows as a JSON array; no more than a chunk of them is in memory."""
    name = slugify(rows.model._meta.verbose_name_plural or rows.model.__name__)
    found = rows.values(*fields).iterator(chunk_size=_CHUNK)
    return StreamingHttpResponse(
        _written(found),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}.json"', "Cache-Control": "no-store"},
    )


def _written(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "["
    separator = "\n"
    for row in rows:
        plain = {name: rfc3339(value) if isinstance(value, datetime) else value for name, value in row.items()}
        yield separator + json.dumps(plain, default=str, ensure_ascii=False)
        separator = ",\n"
    yield "\n]\n"
