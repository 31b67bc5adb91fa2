"""JSON that PostgreSQL's jsonb cannot hold, made storable."""

import math
from typing import Any


def storable(value: Any) -> Any:
    """Replace what jsonb refuses: NUL, lone surrogates, NaN and infinity.

    https://www.postgresql.org/docs/current/datatype-json.html
    """
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def is_deeper(value: Any, levels: int) -> bool:
    """Tell whether a JSON value is nested deeper than ``levels``.

    Needs no stack, however deep it is.
    """
    level: list[Any] = [value]
    for _ in range(levels + 1):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(each.values())
            elif isinstance(each, list):
                inner.extend(each)
        if not inner:
            return False
        level = inner
    return True
