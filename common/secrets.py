"""Secrets by name of the environment; readers ask each time.

They keep none, since a process outlives a secret.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.utils.functional import lazy


class Secrets:
    """The secrets of this process, as they are at the moment."""

    def __init__(self, read: Callable[[str], str], *, defaults: Mapping[str, str]) -> None:
        self._read = read
        self._defaults = defaults
        self.retired_signing_keys: list[str] = []
        """Keys that sign nothing any more, and still prove what they signed: Django's SECRET_KEY_FALLBACKS."""

    def current(self, name: str) -> str:
        """Return the value of a secret; empty if there is none."""
        return self._read(name) or self._defaults.get(name, "")

    def current_list(self, name: str) -> list[str]:
        """Return the values of a secret that has several, separated by commas."""
        return [part for part in (part.strip() for part in self.current(name).split(",")) if part]

    def following(self, name: str) -> Any:
        """Return a text that always reads as the current value.

        For a setting that Django reads by itself.
        """
        return lazy(self.current, str)(name)

    def retire_signing_key(self, key: str) -> None:
        """Keep a retired key's signatures valid, in place of the one before."""
        self.retired_signing_keys[:] = [key]


def current(name: str) -> str:
    """Return a secret's current value; empty if none.

    Never keep it beyond one use.
    """
    secrets: Secrets = settings.SECRETS
    return secrets.current(name)


def current_list(name: str) -> list[str]:
    """Return a secret's current values. Never keep them beyond one use."""
    secrets: Secrets = settings.SECRETS
    return secrets.current_list(name)
