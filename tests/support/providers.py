"""The provider that most tests pay through, and how a test configures it."""

from dataclasses import replace
from typing import Any

from pytest_django import Settings

from payments import configuration

NAME = configuration.names()[0]


def configure(settings: Settings, **changes: Any) -> None:
    """Have the provider configured otherwise for this test, such as ``is_live=True``."""
    chosen: Any = settings.PROVIDERS[NAME]
    settings.PROVIDERS = {**settings.PROVIDERS, NAME: replace(chosen, **changes)}
