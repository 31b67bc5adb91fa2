"""Plain English: short first lines of docstrings, and no phrase that makes a reader stop."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environment import ROOT
from tests.support.source import Function, Module, breaches, finds, tracked

LONGEST_FIRST_LINE = 12
PHRASES = re.compile(r"\b(?:whoever|what is to be|whose it is|of which)\b|\w: It is so\b", re.IGNORECASE)


def wordy(module: Module) -> Iterator[str]:
    """Find public docstrings whose first line has too many words."""
    for node in module.walk():
        if not isinstance(node, ast.Module | ast.ClassDef | Function):
            continue
        names = [found.name for found in (node, *module.above(node)) if isinstance(found, ast.ClassDef | Function)]
        first = (ast.get_docstring(node) or "").partition("\n")[0]
        if len(first.split()) > LONGEST_FIRST_LINE and not any(name.startswith("_") for name in names):
            yield f"{module.at(node)}: {first}"


def riddles(name: str, text: str) -> Iterator[str]:
    """Find phrases of the list, in code, comments, messages and prose."""
    for number, line in enumerate(text.splitlines(), start=1):
        if PHRASES.search(line):
            yield f"{name}:{number}: {line.strip()}"


class TestFirstLines:
    def test_are_short(self) -> None:
        assert "\n".join(breaches(wordy)) == ""

    @pytest.mark.parametrize(
        "fault",
        [
            '"""' + "word " * 13 + '"""',
            'def f():\n    """' + "word " * 13 + '\n\n    More.\n    """',
            'class A:\n    def f(self):\n        """' + "word " * 13 + '"""',
        ],
    )
    def test_a_long_one_is_seen(self, fault: str) -> None:
        assert finds(wordy, fault)

    def test_of_what_is_private_may_be_longer(self) -> None:
        assert not finds(wordy, 'class _A:\n    def f(self):\n        """' + "word " * 13 + '"""')


class TestPhrases:
    def test_are_in_no_code_and_no_page(self) -> None:
        texts = {
            str(path.relative_to(ROOT)): path for suffix in (".py", ".md", ".html", ".toml") for path in tracked(suffix)
        }
        found = [
            riddle
            for name, path in texts.items()
            if name not in ("CHANGELOG.md", str(Path(__file__).relative_to(ROOT)))
            for riddle in riddles(name, path.read_text())
        ]
        assert "\n".join(found) == ""

    @pytest.mark.parametrize(
        "line",
        [
            '"""Release a hold, whoever noticed it."""',
            "# Returns what is to be stored.",
            "Raises:\n    ValidationError: It is so.",
            'raise ValueError("Nobody knows whose it is.")',
            "A payment of which a part is captured.",
        ],
    )
    def test_each_is_seen(self, line: str) -> None:
        assert list(riddles("planted", line))
