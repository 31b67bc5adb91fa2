"""What the environment says of providers.

Each reads its own variables, for the settings and for a rotation.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import ClassVar, Protocol

PACKAGES = ("payments.providers.stripe",)
"""Where providers are. A new one is a package with ``settings`` and ``adapter``, and its name here."""

_KEY = "_API_KEY"
"""Ends the name of the platform's key, as in the accounts' model, which no setting can read yet."""


class Environment(Protocol):
    """Reads variables, and notes problems to report them together."""

    def text(self, name: str, default: str = "") -> str:
        """Read a text."""

    def texts(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """Read a list of texts, separated by commas."""

    def integer(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """Read a whole number within bounds."""

    def url(self, name: str, *, schemes: Sequence[str]) -> str:
        """Read a URL with one of these schemes; empty if unset."""

    def refuse(self, name: str, why: str) -> None:
        """Note a problem with a variable."""


class ProviderSettings(Protocol):
    """What an installation has chosen for a provider.

    Without its secrets, which change while it runs.
    """

    call_limits: ClassVar[Sequence[str]]
    """The variables that bound a call."""
    quiet_loggers: ClassVar[Sequence[str]]
    """Loggers whose lines at INFO carry the addresses and bodies of calls."""

    @property
    def is_live(self) -> bool:
        """Whether real money moves."""

    @property
    def is_sandbox(self) -> bool:
        """Whether a stand-in is called, and not the provider."""

    @property
    def call_seconds(self) -> int:
        """How long one call may take."""


def names() -> list[str]:
    """List the providers of this program."""
    return [package.rpartition(".")[2] for package in PACKAGES]


def key_names() -> list[str]:
    """List the variables of the platform's keys at all providers."""
    return [f"{name.upper()}{_KEY}" for name in names()]


def read(env: Environment, *, debug: bool) -> dict[str, ProviderSettings]:
    """Read the settings of each provider, by name.

    With ``debug``, secrets may be left out.
    """
    found: dict[str, ProviderSettings] = {}
    for name, package in zip(names(), PACKAGES, strict=True):
        found[name] = import_module(f"{package}.settings").Settings.read(env, debug=debug)
    return found


def check_rotated(env: Environment, *, debug: bool, before: Mapping[str, ProviderSettings]) -> None:
    """Note what is wrong with rotated secrets.

    A provider's mode stays: what is stored is of that mode.
    """
    for name, read_now in read(env, debug=debug).items():
        if read_now.is_live != before[name].is_live:
            env.refuse(f"{name.upper()}{_KEY}", "must be of the mode that it was: what is stored is of that one.")
