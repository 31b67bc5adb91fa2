"""The product's source as syntax trees, for the rules of ``tests/architecture``."""

import ast
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.support.environment import ROOT

LISTING = (shutil.which("git") or "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
TOOLS = frozenset({"tools"})
"""Beside the product: what plays the provider, shows the product, or measures it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """A module by its path in the repository, with its tree."""

    name: str
    tree: ast.Module
    lines: int
    parents: dict[ast.AST, ast.AST] = field(repr=False)

    @property
    def package(self) -> str:
        """The package at the top that it is in."""
        return self.name.split("/")[0]

    def walk(self) -> Iterator[ast.AST]:
        """Yield every node."""
        return ast.walk(self.tree)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node stands in, from the inside out."""
        while (found := self.parents.get(node)) is not None:
            yield found
            node = found

    def function_of(self, node: ast.AST) -> str:
        """Return the name of the function at the top or in a class that a node stands in."""
        names = [above.name for above in self.above(node) if isinstance(above, Function)]
        return names[-1] if names else ""

    def texts(self) -> Iterator[ast.Constant]:
        """Yield every text that is used, so no docstring and no comment."""
        for node in self.walk():
            if not isinstance(node, ast.Constant) or isinstance(self.parents[node], ast.Expr):
                continue
            if isinstance(node.value, str):
                yield node

    def at(self, node: ast.AST) -> str:
        """Say where a node stands."""
        return f"{self.name}:{getattr(node, 'lineno', 0)}"


def imported(node: ast.AST) -> list[str]:
    """Return what a node imports, by full names."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            return [f"{node.module}.{alias.name}" for alias in node.names]
        case ast.Call(args=[ast.Constant(value=str(name)), *_]):
            by_name = ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__", "import_string")
            return [name] if by_name else []
    return []


Rule = Callable[[Module], Iterable[str]]
"""Finds the breaches of a rule in a module, each with where it is."""


def parse(name: str, text: str) -> Module:
    """Read a module, with what its comments have the type checker ignore."""
    tree = ast.parse(text, type_comments=True)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    return Module(name=name, tree=tree, lines=text.count("\n"), parents=parents)


@cache
def tracked(suffix: str = "") -> tuple[Path, ...]:
    """List the files of the repository."""
    listed = subprocess.run(LISTING, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = sorted(set(listed.split("\0")) - {""})
    return tuple(ROOT / name for name in names if name.endswith(suffix) and (ROOT / name).is_file())


@cache
def everything() -> tuple[Module, ...]:
    """Every module of the repository that is written by hand: the product, its tools and its tests."""
    names = {str(path.relative_to(ROOT)): path for path in tracked(".py")}
    return tuple(parse(name, path.read_text()) for name, path in names.items() if "/migrations/" not in name)


@cache
def product() -> tuple[Module, ...]:
    """Every module of every package of the product, whatever packages there are; not its tools and tests."""
    return tuple(module for module in everything() if module.package not in TOOLS | {"tests"})


def breaches(rule: Rule, modules: Iterable[Module] | None = None) -> list[str]:
    """List the breaches of a rule in the product, or in some modules."""
    return [breach for module in (product() if modules is None else modules) for breach in rule(module)]


def finds(rule: Rule, text: str, *, name: str = "booking/planted.py") -> bool:
    """Say whether a rule sees a fault that is planted."""
    return bool(list(rule(parse(name, text))))
