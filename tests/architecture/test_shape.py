"""Small files and functions, described; one name for each constraint; nothing unfinished and no secret."""

import ast
import re
from collections.abc import Iterable, Iterator

import pytest
from django.apps import apps

from tests.support.environment import ROOT
from tests.support.source import Function, Module, breaches, everything, finds, tracked

LONGEST_FILE, LONGEST_FUNCTION = 300, 45
UNFINISHED = re.compile(r"\b(TODO|FIXME)\b|#\s*(XXX|HACK)\b")
SECRETS = re.compile(
    r"sk_live_[A-Za-z0-9]{10}|rk_live_[A-Za-z0-9]{10}|sk_test_[A-Za-z0-9]{20}|whsec_[A-Za-z0-9]{24}"
    r"|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|hf_[A-Za-z0-9_-]{40}|gh[ps]_[A-Za-z0-9]{30}"
)


def too_long(module: Module) -> Iterator[str]:
    """Find files and functions that are too long."""
    if module.lines > LONGEST_FILE:
        yield f"{module.name} has {module.lines} lines"
    for node in module.walk():
        if isinstance(node, Function) and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION:
            yield f"{module.at(node)} {node.name}"


def undescribed(module: Module) -> Iterator[str]:
    """Find modules, and what is public in them, without a docstring."""
    if module.tree.body and not ast.get_docstring(module.tree):
        yield module.name
    for node in module.tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node):
            yield f"{module.at(node)} {node.name}"


def unfinished(module: Module) -> Iterator[str]:
    """Find what stands in for something, and tests that are left out."""
    for node in module.walk():
        if isinstance(node, ast.Name) and node.id in ("NotImplementedError", "NotImplemented"):
            yield module.at(node)
        is_left_out = isinstance(node, ast.Attribute) and node.attr in ("xfail", "skip")
        if is_left_out and ast.unparse(node).startswith(("pytest.", "mark.", "unittest.")):
            yield module.at(node)


def repeated(names: Iterable[str]) -> set[str]:
    """Return the names that are there more than once."""
    seen: set[str] = set()
    return {name for name in names if name in seen or seen.add(name)}  # type: ignore[func-returns-value]


class TestSizes:
    def test_files_and_functions_stay_small(self) -> None:
        assert "\n".join(breaches(too_long, everything())) == ""

    def test_a_long_one_is_seen(self) -> None:
        assert finds(too_long, "x = 1\n" * 301)
        assert finds(too_long, "class A:\n    async def f(self):\n" + "        x = 1\n" * 45)


class TestDescriptions:
    def test_what_is_public_is_described(self) -> None:
        assert "\n".join(breaches(undescribed)) == ""

    @pytest.mark.parametrize("fault", ["x = 1", '"""Text."""\ndef f():\n    pass', '"""Text."""\nclass A:\n    pass'])
    def test_what_is_not_is_seen(self, fault: str) -> None:
        assert finds(undescribed, fault, name="backoffice/planted.py")


class TestNames:
    def test_of_constraints_and_indexes_are_unique(self) -> None:
        names = [row.name for model in apps.get_models() for row in (*model._meta.constraints, *model._meta.indexes)]
        assert repeated(name for name in names if not name.startswith("django_q")) == set()

    def test_one_that_is_there_twice_is_seen(self) -> None:
        assert repeated(["a", "b", "a"]) == {"a"}


class TestNothingIsLeft:
    def test_unfinished(self) -> None:
        assert "\n".join(breaches(unfinished, everything())) == ""
        marked = [path for path in tracked() if path.suffix in (".py", ".html", ".toml", ".sql", ".js", ".css")]
        mine = ROOT / "tests/architecture/test_shape.py"
        assert [path for path in marked if path != mine and UNFINISHED.search(path.read_text())] == []

    @pytest.mark.parametrize(
        "fault",
        [
            "def f():\n    raise NotImplementedError",
            "pytest.skip('later')",
            "@pytest.mark.xfail\ndef test(): ...",
            "@pytest.mark.skip(reason='x')\ndef test(): ...",
        ],
    )
    def test_what_would_be_is_seen(self, fault: str) -> None:
        assert finds(unfinished, fault)
        assert UNFINISHED.search("# TODO: later")

    def test_secret(self) -> None:
        with_one = [path for path in tracked() if SECRETS.search(path.read_bytes().decode("utf-8", "replace"))]
        assert with_one == []

    @pytest.mark.parametrize("secret", ["sk_live_" + "a" * 24, "whsec_" + "A1" * 16, "AKIA" + "A" * 16])
    def test_a_secret_would_be_seen(self, secret: str) -> None:
        assert SECRETS.search(f"KEY={secret}")
