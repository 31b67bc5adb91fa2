"""Reads settings from the environment (or ``.env``); reports all problems together."""

import os
import re
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from decouple import Config, RepositoryEmpty, RepositoryEnv
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from config.secrets import Contents, RepositoryAws

RATE = re.compile(r"[1-9]\d*/(s|sec|second|m|min|minute|h|hour|d|day)")
_POSTGRES = ("postgres", "postgresql")
_WITH_PASSWORD = re.compile(r"(?P<before>postgres(?:ql)?://[^:/@?#]*:)(?P<password>.*)@(?P<after>[^@]*)", re.DOTALL)
_QUOTED = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
EMBEDDED = "embedded"
"""What `DATABASE_URL` says for a PostgreSQL of its own in `.data/postgres`, on a developer's machine."""
TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


class Environment:
    """Variables of the process, and behind them those of a file.

    A reader that can't take a value notes the problem and returns the default, so that one start tells of all of them;
    ``stop_if_wrong`` must be called before the values are used. A value is never repeated in a message, as it may be
    a secret. A blank value counts as none.
    """

    def __init__(self, file: Path) -> None:
        # ENV_FILE names another file; empty, none is read: the tests' way of not seeing a developer's own.
        chosen = os.environ.get("ENV_FILE")
        path = file if chosen is None else Path(chosen)
        self._file = RepositoryEnv(str(path)) if path.is_file() else RepositoryEmpty()
        self._config = Config(self._file)
        self.names: set[str] = {"ENV_FILE"}
        self.problems: list[str] = []
        self.secrets: RepositoryAws | None = None
        self._read_secrets()

    def _read_secrets(self) -> None:
        """Read from a secret of AWS Secrets Manager too, if one is named: behind the process, before the file."""
        secret_id = self.text("AWS_SECRETS_ID")
        lifetime = self.integer("AWS_SECRETS_REFRESH_SECONDS", 300, least=1)
        if not secret_id:
            return
        from config.secrets import RepositoryAws, SecretsError  # noqa: PLC0415  # slow, and only needed here

        try:
            self.secrets = RepositoryAws(secret_id=secret_id, region=self.text("AWS_REGION"), lifetime_seconds=lifetime)
        except SecretsError as error:
            self.refuse("AWS_SECRETS_ID", f"names a secret that cannot be used: {error}")
            return
        self._config = Config(_Both(self.secrets, self._file))

    def with_secrets(self, contents: "Contents") -> "Environment":
        """Return the environment with other secrets, to check them before use."""
        other = copy(self)
        other._config, other.problems = Config(_Both(contents, self._file)), []
        return other

    def adopt(self, contents: "Contents") -> None:
        """Read other contents of the secret of AWS from here on.

        Raises:
            RuntimeError: None is named.
        """
        if self.secrets is None:
            raise RuntimeError("Secrets are read from AWS only if AWS_SECRETS_ID names one.")
        self.secrets.adopt(contents)

    def refuse(self, name: str, why: str) -> None:
        """Note a problem with a variable."""
        self.problems.append(f"{name} {why}")

    def stop_if_wrong(self) -> None:
        """Stop the start if any value is missing or wrong.

        Raises:
            ImproperlyConfigured: With every problem, one a line.
        """
        if self.problems:
            found = "".join(f"\n  - {problem}" for problem in sorted(self.problems))
            raise ImproperlyConfigured(f"The environment is not right (see .env.example):{found}")

    def text(self, name: str, default: str = "") -> str:
        """Read a text."""
        self.names.add(name)
        return str(self._config(name, default="")).strip() or default

    def declare(self, *names: str) -> None:
        """Register variables whose values are read later."""
        self.names.update(names)

    def secret(self, name: str) -> str:
        """Read a secret, also one that an installation named itself.

        Such as an operator's key.
        """
        return str(self._config(name, default="")).strip()

    def texts(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """Read a list of texts, separated by commas."""
        return [part for part in (part.strip() for part in self.text(name).split(",")) if part] or list(default)

    def boolean(self, name: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self.text(name).lower()
        if value and value not in TRUE | FALSE:
            self.refuse(name, "must be true or false.")
            return default
        return value in TRUE if value else default

    def integer(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """Read a whole number within bounds."""
        value = self.text(name)
        if not value:
            return default
        if value.isascii() and value.isdecimal() and least <= int(value) and (most is None or int(value) <= most):
            return int(value)
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        self.refuse(name, f"must be a whole number {bounds}.")
        return default

    def choice(self, name: str, default: str, *, of: Sequence[str]) -> str:
        """Read one of some words, in any case."""
        value = self.text(name, default).upper()
        if value not in of:
            self.refuse(name, f"must be one of {', '.join(of)}.")
            return default
        return value

    def rate(self, name: str, default: str) -> str:
        """Read a rate such as 600/min."""
        value = self.text(name, default)
        if not RATE.fullmatch(value):
            self.refuse(name, "must be a rate such as 600/min (per s, min, hour or day).")
            return default
        return value

    def url(self, name: str, *, schemes: Sequence[str]) -> str:
        """Read a URL of given schemes; empty if none."""
        value = self.text(name)
        if value and not _is_url(value, schemes):
            self.refuse(name, f"must be a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
            return ""
        return value

    def database_url(self, name: str) -> str:
        """Read a PostgreSQL URL, its password quoted or not.

        Empty: the embedded one is asked for.
        """
        value = with_quoted_password(self.text(name))
        if value == EMBEDDED:
            return ""
        if not _is_url(value, _POSTGRES):
            self.refuse(name, "must be a URL such as postgresql://user:password@host:5432/name, or embedded.")
            return ""
        return value


class _Both(RepositoryEmpty):  # type: ignore[misc]  # decouple has no types
    """Two places to read from, the first one first."""

    def __init__(self, first: "RepositoryEmpty | Contents", second: RepositoryEmpty) -> None:
        self._places = (first, second)

    def __contains__(self, name: str) -> bool:
        return any(name in place for place in self._places)

    def __getitem__(self, name: str) -> str:
        return str(next(place[name] for place in self._places if name in place))


def with_quoted_password(url: str) -> str:
    """Quote a URL's password if a letter would end it early.

    Such as @, / and :.
    """
    found = _WITH_PASSWORD.fullmatch(url)
    if found is None or _QUOTED.fullmatch(found["password"]):
        return url
    return f"{found['before']}{quote(found['password'], safe='')}@{found['after']}"


def _is_url(value: str, schemes: Sequence[str]) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port  # not read before it is asked for
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc)
