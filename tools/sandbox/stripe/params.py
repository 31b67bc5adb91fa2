"""Reads and checks the parameters of a call; whatever is wrong is refused before anything is executed."""

from collections.abc import Collection
from typing import Any

from tools.sandbox.form import Params, as_list
from tools.sandbox.stripe.errors import (
    InvalidInteger,
    InvalidRequest,
    ParameterEmpty,
    ParameterMissing,
    ParameterUnknown,
)

METADATA_KEYS = 50
METADATA_KEY_LENGTH = 40
METADATA_VALUE_LENGTH = 500


def check_known(params: Params, known: Collection[str]) -> None:
    """Raise ParameterUnknown when a parameter is none of `known`."""
    unknown = [name for name in params if name not in known]
    if unknown:
        raise ParameterUnknown(unknown)


def find_string(params: Params, name: str) -> str | None:
    """Return a text parameter, None when absent or empty (which unsets it)."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidRequest("Invalid string: {}", param=name)
    return value


def get_string(params: Params, name: str) -> str:
    """Return a text parameter; raise ParameterMissing or ParameterEmpty."""
    if name not in params:
        raise ParameterMissing(name)
    value = find_string(params, name)
    if value is None:
        raise ParameterEmpty(name)
    return value


def find_integer(params: Params, name: str, *, minimum: int = 1) -> int | None:
    """Return a whole number of at least `minimum`, None when absent; raise InvalidInteger or ParameterEmpty."""
    value = params.get(name)
    if value is None:
        return None
    if value == "":
        raise ParameterEmpty(name)
    try:
        number = int(str(value))
    except ValueError:
        raise InvalidInteger(name, f"Invalid integer: {value}") from None
    if number < minimum:
        raise InvalidInteger(name, f"This value must be greater than or equal to {minimum}.")
    return number


def get_integer(params: Params, name: str, *, minimum: int = 1) -> int:
    """Return a whole number of at least `minimum`; raise ParameterMissing too."""
    number = find_integer(params, name, minimum=minimum)
    if number is None:
        raise ParameterMissing(name)
    return number


def find_boolean(params: Params, name: str) -> bool | None:
    """Return a true or false, None when absent."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if value not in ("true", "false"):
        raise InvalidRequest(f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def find_choice(params: Params, name: str, choices: tuple[str, ...]) -> str | None:
    """Return one of `choices`, None when absent."""
    value = find_string(params, name)
    if value is not None and value not in choices:
        listed = f"{', '.join(choices[:-1])}, or {choices[-1]}"
        raise InvalidRequest(f"Invalid {name}: must be one of {listed}", param=name)
    return value


def find_dict(params: Params, name: str) -> Params:
    """Return a nested parameter, empty when absent."""
    value = params.get(name, {})
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest("Invalid object", param=name)
    return value


def find_list(params: Params, name: str) -> list[str]:
    """Return a list of texts, empty when absent."""
    values = as_list(params.get(name))
    if not all(isinstance(value, str) for value in values):
        raise InvalidRequest("Invalid array", param=name)
    return values


def merged_metadata(params: Params, current: dict[str, str]) -> dict[str, str]:
    """Return `current` with the call's metadata written over it; an empty value removes its key."""
    given = params.get("metadata", {})
    if given == "":
        return {}
    if not isinstance(given, dict):
        raise InvalidRequest("Invalid object", param="metadata")
    merged = dict(current)
    for key, value in given.items():
        _check_metadata(key, value)
        merged[key] = value
    merged = {key: value for key, value in merged.items() if value != ""}
    if len(merged) > METADATA_KEYS:
        raise InvalidRequest(f"Metadata can have at most {METADATA_KEYS} keys", param="metadata")
    return merged


def _check_metadata(key: str, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidRequest("Metadata values must be strings", param=f"metadata[{key}]")
    if len(key) > METADATA_KEY_LENGTH:
        raise InvalidRequest(
            f"Metadata keys can have up to {METADATA_KEY_LENGTH} characters, but you passed in a key that is "
            f"{len(key)} characters. Invalid key: {key}",
            param="metadata",
        )
    if len(value) > METADATA_VALUE_LENGTH:
        raise InvalidRequest(
            f"Metadata values can have up to {METADATA_VALUE_LENGTH} characters, but you passed in a value that is "
            f"{len(value)} characters. Invalid value: {value}",
            param=f"metadata[{key}]",
        )
