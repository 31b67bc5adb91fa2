"""Typed reads of Stripe's fields, as documented or not at all.

``get_`` is for what an outcome stands on and refuses the rest; ``find_`` is for what is only shown, and leaves it out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from common import json_text
from payments.providers.errors import UnreadableError
from payments.providers.notifications import Unreadable

T = TypeVar("T")

_CURRENCY = re.compile(r"[A-Za-z]{3}")
_LARGEST = 2**53
"""Above it, programs differ on what a number in JSON says; no currency has that much money."""
_LAST_SECOND = 253_402_300_799  # of the year 9999
_DEEPEST = 100
"""Levels of objects and lists; an object of Stripe's has about ten."""
_ID = re.compile(r"[A-Za-z0-9_]{1,255}")

Fields = Mapping[str, Any]


def get_text(of: Fields, name: str, *, longest: int = 255) -> str:
    """Return a text that is there and fits. Raises: UnreadableError."""
    value = of.get(name)
    if not isinstance(value, str):
        raise UnreadableError(f"{name} is missing" if value is None else f"{name} is no text")
    if not 0 < len(value) <= longest:
        raise UnreadableError(f"{name} is longer than {longest} characters" if value else f"{name} is empty")
    return value


def get_text_or_none(of: Fields, name: str) -> str:
    """Return a text that fits; empty if there is none.

    Raises:
        UnreadableError: Something else stands there.
    """
    return get_text(of, name) if of.get(name) not in (None, "") else ""


def find_text(of: Fields, name: str, *, longest: int = 255) -> str:
    """Return a text that fits; empty if there is none."""
    value = of.get(name)
    return value if isinstance(value, str) and len(value) <= longest else ""


def get_fields(of: Fields, name: str) -> Fields:
    """Return an object. Raises: UnreadableError."""
    value = of.get(name)
    if not isinstance(value, Mapping):
        raise UnreadableError(f"{name} is missing" if value is None else f"{name} is no object")
    return value


def find_fields(of: Fields, name: str) -> Fields:
    """Return an object; an empty one if there is none."""
    value = of.get(name)
    return value if isinstance(value, Mapping) else {}


def get_list(of: Fields, name: str) -> list[Any]:
    """Return a list. Raises: UnreadableError."""
    value = of.get(name)
    if not isinstance(value, list):
        raise UnreadableError(f"{name} is missing" if value is None else f"{name} is no list")
    return value


def get_number(of: Fields, name: str, *, least: int = 0) -> int:
    """Return a whole number that money can be. Raises: UnreadableError."""
    value = of.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnreadableError(f"{name} is missing" if value is None else f"{name} is no whole number")
    if not least <= value <= _LARGEST:
        raise UnreadableError(f"{name} is out of range")
    return value


def get_signed_number(of: Fields, name: str) -> int:
    """Return a whole number for a line of the ledger.

    Raises:
        UnreadableError: It is none.
    """
    return get_number(of, name, least=-_LARGEST)


def get_number_or_zero(of: Fields, name: str) -> int:
    """Return a whole number of money; zero if there is none.

    Raises:
        UnreadableError: Something else stands there.
    """
    return 0 if of.get(name) is None else get_number(of, name)


def get_currency(of: Fields, name: str = "currency") -> str:
    """Return a currency in upper case. Raises: UnreadableError."""
    value = get_text(of, name)
    if not _CURRENCY.fullmatch(value):
        raise UnreadableError(f"{name} is none")
    return value.upper()


def get_flag(of: Fields, name: str) -> bool:
    """Return true or false. Raises: UnreadableError."""
    value = of.get(name)
    if not isinstance(value, bool):
        raise UnreadableError(f"{name} is missing" if value is None else f"{name} is neither true nor false")
    return value


def get_time(of: Fields, name: str) -> datetime:
    """Return a time, which Stripe writes in seconds. Raises: UnreadableError."""
    value = of.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnreadableError(f"{name} is missing" if value is None else f"{name} is no time")
    if not 0 <= value <= _LAST_SECOND:
        raise UnreadableError(f"{name} is out of range")
    return datetime.fromtimestamp(value, UTC)


def find_time(of: Fields, name: str) -> datetime | None:
    """Return a time; None if there is none."""
    try:
        return get_time(of, name)
    except UnreadableError:
        return None


def find_id(of: Fields, name: str) -> UUID | None:
    """Return an id of ours; None if there is none."""
    try:
        return UUID(find_text(of, name))
    except ValueError:
        return None


def readable(rows: Iterator[Any], read: Callable[[dict[str, Any]], T]) -> Iterator[T | Unreadable]:
    """Read each object of a list; ``Unreadable`` stands for a faulty one.

    A faulty one stops no other.
    """
    for row in rows:
        if isinstance(row, Unreadable):
            yield row
            continue
        try:
            yield read(_object(row))
        except UnreadableError as error:
            yield Unreadable(error=error, ref=_id(row))


def plain(answer: Any) -> dict[str, Any]:
    """Return an SDK object as a mapping that the database can hold."""
    values: dict[str, Any] = json_text.storable(answer.to_dict())
    return values


def _object(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise UnreadableError("the object is none")
    if json_text.is_deeper(row, _DEEPEST):
        raise UnreadableError(f"the object is nested deeper than {_DEEPEST}")
    values: dict[str, Any] = json_text.storable(row)
    return values


def _id(row: Any) -> str:
    """Return an object's id if it looks like one: it is written where a person's words must not be."""
    found = find_text(row, "id") if isinstance(row, dict) else ""
    return found if _ID.fullmatch(found) else ""
