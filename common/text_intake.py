"""The one check of text input: unusable text is refused by field.

Bodies come through :mod:`common.parsers`, queries, forms, cookies and paths through :mod:`common.text_middleware`,
arguments of commands through :mod:`common.commands`, and claims of ID tokens through :mod:`tenants.cognito`. The text
in a provider's authentic event is no caller's mistake: :mod:`common.json_text` makes that storable instead.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import HoldfastError, ValidationError

LONGEST_QUERY_VALUE = 2_000
LONGEST_FORM_VALUE = 20_000
DEEPEST = 50
"""Levels of lists and objects in one body; more is nobody's meaning."""
MOST_DIGITS = 100
"""Digits of one number; the largest amount has 13."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is refused, for a program and for a person."""

    code: str
    message: str


_NUL = Fault("null_characters_not_allowed", "Null characters are not allowed.")
_HALF = Fault("surrogate_characters_not_allowed", "A lone surrogate is not a character.")


class MalformedJsonError(HoldfastError):
    """The body as a whole is no JSON that can be taken."""

    code = "malformed_json"


def fault_of(text: str, *, longest: int | None = None) -> Fault | None:
    """Return why a text cannot be taken; None if it can.

    ``longest`` is in characters. The text may have come from anywhere; nothing is read or written.
    """
    if "\0" in text:
        return _NUL
    if not text.isascii() and _SURROGATE.search(text):
        return _HALF
    if longest is not None and len(text) > longest:
        return Fault("too_long", f"This has {len(text)} characters; at most {longest} are allowed.")
    return None


def check(text: str, *, param: str, longest: int | None = None) -> None:
    """Refuse a text that cannot be taken.

    Raises:
        ValidationError: ``param`` has such a text.
    """
    fault = fault_of(text, longest=longest)
    if fault is not None:
        raise ValidationError(param=legible(param), code=fault.code, message=fault.message)


def check_json(value: Any) -> None:
    """Refuse a JSON value with unusable texts or keys, however deep.

    Raises:
        ValidationError: ``param`` is the dotted path of the first such text.
        MalformedJsonError: It is nested deeper than ``DEEPEST``.
    """
    for path, text in _texts(value):
        fault = fault_of(text)
        if fault is not None:
            param = ".".join(map(legible, path)) or None
            raise ValidationError(param=param, code=fault.code, message=fault.message)


def read_json(body: bytes) -> Any:
    """Read a body strictly by RFC 8259, and check its texts.

    Raises:
        MalformedJsonError: It is no such JSON, or its meaning is in doubt (a key twice, a number that is none).
        ValidationError: A text in it cannot be taken.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJsonError(f"The body is not UTF-8: byte {error.start} cannot be read.") from error
    if text.startswith("\ufeff"):
        raise MalformedJsonError("The body begins with a byte order mark (BOM). Send UTF-8 without one.")
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_float, parse_int=_int, object_pairs_hook=_object
        )
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise MalformedJsonError(f"The body is not JSON: {error}.") from error
    check_json(value)
    return value


def legible(text: str) -> str:
    """Write a text so that answers and logs can hold it."""
    return _SURROGATE.sub("\ufffd", text.replace("\0", "\ufffd"))[:200]


def _texts(value: Any) -> Iterator[tuple[Sequence[str], str]]:
    """Yield every text and key with its path. Not recursive: the depth is the caller's choice."""
    pending: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while pending:
        path, current = pending.pop()
        if len(path) > DEEPEST:
            raise _too_deep()
        if isinstance(current, str):
            yield path, current
        elif isinstance(current, dict):
            yield from (((*path, key), key) for key in current)
            pending += [((*path, key), inner) for key, inner in current.items()]
        elif isinstance(current, list):
            pending += [((*path, str(number)), inner) for number, inner in enumerate(current)]


def _too_deep() -> MalformedJsonError:
    return MalformedJsonError(f"The JSON is nested too deeply: at most {DEEPEST} levels are allowed.")


def _refuse_constant(name: str) -> Any:
    raise MalformedJsonError(f"{name} is not a JSON number.")


def _float(text: str) -> float:
    number = float(text)
    if len(text) > MOST_DIGITS or not math.isfinite(number):
        raise MalformedJsonError("A number in this body is too large or too long.")
    return number


def _int(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise MalformedJsonError(f"A number in this body has more than {MOST_DIGITS} digits.")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise MalformedJsonError(f"The key {legible(name)!r} appears twice in one object.")
        found[name] = value
    return found
