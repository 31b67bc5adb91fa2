"""What PostgreSQL's jsonb cannot hold of what JSON can say."""

from typing import Any


def storable(value: Any) -> Any:
    """Replace in all texts of a JSON value what jsonb refuses: NUL, and halves of surrogate pairs.

    https://www.postgresql.org/docs/current/datatype-json.html
    """
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner) for inner in value]
    return value
