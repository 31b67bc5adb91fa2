"""A request to the sandbox and its answer, without any HTTP library, so that a simulation can call it in-process."""

import json
from dataclasses import dataclass, field
from typing import Any

from tools.sandbox.form import Params


@dataclass(frozen=True)
class Request:
    """One request. Header names are in lower case."""

    method: str
    path: str
    params: Params = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """One answer. When `dropped`, the connection is to be closed without sending anything."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    dropped: bool = False


def json_body(content: Any) -> bytes:
    """Return the content as JSON, indented as Stripe indents."""
    return json.dumps(content, indent=2).encode()
