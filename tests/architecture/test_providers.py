"""Nothing above a provider asks for its name: it is in the provider's own package, and in one line of registration."""

from collections.abc import Iterator

import pytest

from payments import configuration
from tests.support.environment import ROOT
from tests.support.source import tracked

BESIDE = ("tests/", "tools/", "docs/", "deploy/")
"""Folders beside the product, in which files named for a provider speak of it."""
REGISTRATION = "payments/configuration.py"


def naming(name: str, text: str) -> Iterator[str]:
    """Find the lines of a file that name a provider."""
    for number, line in enumerate(text.splitlines(), start=1):
        for provider in configuration.names():
            if provider in line.lower():
                yield f"{name}:{number}: {line.strip()}"


def product() -> Iterator[tuple[str, str]]:
    """Read the files of the product's packages but those of the providers."""
    own = tuple(f"{package.replace('.', '/')}/" for package in configuration.PACKAGES)
    for suffix in (".py", ".html", ".txt", ".js", ".css", ".toml"):
        for path in tracked(suffix):
            name = str(path.relative_to(ROOT))
            if "/" in name and not name.startswith((*BESIDE, *own)):
                yield name, path.read_text()


class TestNames:
    def test_stand_in_one_line_of_registration(self) -> None:
        found = [line for name, text in product() for line in naming(name, text)]
        assert [line.partition(":")[0] for line in found] == [REGISTRATION], "\n".join(found)
        assert "PACKAGES" in found[0]

    def test_the_files_are_read(self) -> None:
        names = {name for name, _ in product()}
        assert {"booking/sales.py", "payments/sending.py", "webhooks/inbox.py", "manage.py"} - names == {"manage.py"}

    @pytest.mark.parametrize("line", ["if provider == 'stripe':", "# as Stripe says", "STRIPE_LIMIT = 8"])
    def test_each_is_seen(self, line: str) -> None:
        assert list(naming("planted", line))
