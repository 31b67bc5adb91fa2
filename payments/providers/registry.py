"""Which providers there are, by name."""

from collections.abc import Callable
from functools import cache
from importlib import import_module

from payments import configuration
from payments.providers.base import Provider


def _maker(package: str) -> Callable[[], Provider]:
    made: Callable[[], Provider] = import_module(f"{package}.adapter").make
    return made


_MAKERS: dict[str, Callable[[], Provider]] = {
    name: _maker(package) for name, package in zip(configuration.names(), configuration.PACKAGES, strict=True)
}


def names() -> list[str]:
    """List the providers that a payment may name."""
    return sorted(_MAKERS)


@cache
def get(name: str) -> Provider:
    """Return the provider of that name.

    It is made once for each process, so that its connections are kept.
    """
    return _MAKERS[name]()
