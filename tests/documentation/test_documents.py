"""What the documents say is there is there."""

import re

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from tests.support.environment import ROOT, documented
from tests.support.named_code import missing

PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), ROOT / "tools/sandbox/README.md"]
)
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestPages:
    def test_links_lead_somewhere(self, page: object) -> None:
        text = (ROOT / str(page)).read_text()
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
            assert ((ROOT / str(page)).parent / target).exists(), target

    def test_paths_and_names_exist(self, page: object) -> None:
        assert list(missing((ROOT / str(page)).read_text())) == []

    def test_settings_exist(self, page: object) -> None:
        text = (ROOT / str(page)).read_text()
        named = set(re.findall(r"`([A-Z][A-Z]+_[A-Z_]+)(?:=[^`]*)?`", text))
        assert {name for name in named if not name.startswith("SANDBOX_")} <= documented() | set(dir(settings))

    def test_commands_exist(self, page: object) -> None:
        text = (ROOT / str(page)).read_text()
        assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
        assert set(re.findall(r"`make ([a-z]+)`|^make ([a-z]+)", text, re.M)) <= {
            pair for name in TARGETS for pair in ((name, ""), ("", name))
        }


class TestNames:
    @pytest.mark.parametrize(
        "named",
        [
            "booking/reservng.py", "booking/reserving.py::reserv", "booking/models/money.py::Till.closed",
            "booking/models/money.py::Till::closed", "reserving.reserv", "docs/adr/0031-news.md", "support/gone.py",
        ],
    )  # fmt: skip
    def test_that_are_not_there_are_seen(self, named: str) -> None:
        assert list(missing(f"See `{named}`.")) == [named]

    @pytest.mark.parametrize(
        "named",
        [
            "booking/reserving.py::reserve", "booking/models/money.py::Till.close", "reserving.reserve(...)",
            "booking/models/money.py::Till::close", "support/api.py", "booking/", "settings.py", "requests.get",
        ],
    )  # fmt: skip
    def test_that_are_there_are_found(self, named: str) -> None:
        assert list(missing(f"See `{named}`.")) == []


class TestDecisions:
    def test_are_numbered_without_a_gap_and_have_a_reason(self) -> None:
        pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
        assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
        for page in pages:
            text = page.read_text()
            assert text.startswith(f"# {int(page.name[:4])}. ")
            assert "**Why" in text
            assert len(text.splitlines()) < 60


class TestSubjects:
    """What pre-commit refuses as the subject of a commit."""

    REFUSED = next(
        hook["entry"]
        for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
        for hook in repo["hooks"]
        if hook["id"] == "subject"
    )

    @pytest.mark.parametrize(
        "subject",
        ["x" * 73, "X" * 73, "Added a guard", "Adding a guard", "add a guard", "Add a guard.", "Add a guard.\n\nWhy."],
    )
    def test_is_refused(self, subject: str) -> None:
        assert re.search(self.REFUSED, subject)

    @pytest.mark.parametrize(
        "subject", ["X" * 72, "Add a guard", "Bring it back", "Need no lock\n\nAdded. Why, and so on."]
    )
    def test_is_taken(self, subject: str) -> None:
        assert not re.search(self.REFUSED, subject)
