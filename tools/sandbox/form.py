"""Reads form-encoded parameters with nested names, as Stripe writes them: `metadata[a]=b`, `types[]=card`."""

import re
from typing import Any
from urllib.parse import parse_qsl

NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
PART = re.compile(r"\[([^\[\]]*)\]")

Params = dict[str, Any]


def parse(encoded: str) -> Params:
    """Return the parameters as nested dicts of strings; a list is a dict with the keys "0", "1", …"""
    params: Params = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        _put(params, _path(name), value)
    return params


def _path(name: str) -> list[str]:
    match = NAME.match(name)
    if match is None:
        return [name]
    return [match.group(1), *PART.findall(match.group(2))]


def _put(params: Params, path: list[str], value: str) -> None:
    target = params
    for position, part in enumerate(path):
        # `name[]` appends: Stripe's clients send both `name[]` and `name[0]`.
        key = part if part or position == 0 else str(len(target))
        if position == len(path) - 1:
            target[key] = value
            return
        inner = target.get(key)
        if not isinstance(inner, dict):
            inner = {}
            target[key] = inner
        target = inner


def as_list(value: Any) -> list[Any]:
    """Return a list parameter's values in order; an empty string (how a list is unset) is an empty list."""
    if isinstance(value, dict):
        return [value[key] for key in sorted(value, key=lambda key: (len(key), key))]
    return [] if value in (None, "") else [value]
