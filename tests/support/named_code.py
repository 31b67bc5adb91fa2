"""Names of code as the documents write them: paths, ``x/y.py::name``, and ``module.name``."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

from tests.support.environment import ROOT
from tests.support.source import everything

_PATH = re.compile(r"((?:[\w.-]+/)+[\w.-]*)(?:::([\w.:]+))?")
_DOTTED = re.compile(r"([a-z_]+)\.([A-Za-z_]\w*)(?:\.\w+)*(?:\(.*\))?")
_FILES = re.compile(r"\.(?:py|md|toml|sql|env|txt|html|yml|json|js|css)\Z")


def missing(text: str) -> Iterator[str]:
    """Yield what a page names in backticks and the repository does not have."""
    for named in re.findall(r"`([^`\n]+)`", text):
        if named.startswith("."):
            continue  # made on the machine, such as `.data/env`
        if path := _PATH.fullmatch(named):
            if not _has(path[1], (path[2] or "").replace("::", ".")):
                yield named
        elif (dotted := _DOTTED.fullmatch(named)) and not _FILES.search(named):
            modules = _modules().get(dotted[1], [])
            if modules and not any(dotted[2] in module for module in modules):
                yield named


def _has(path: str, name: str) -> bool:
    found = [folder / path for folder in (ROOT, ROOT / "tests") if (folder / path).exists()]
    return bool(found) and (not name or name in _names()[str(found[0].relative_to(ROOT))])


@cache
def _names() -> Mapping[str, frozenset[str]]:
    """Return what each module defines or imports, with what is nested in it (``Class.method``)."""
    return {module.name: frozenset(_inside(module.tree, "")) for module in everything()}


@cache
def _modules() -> Mapping[str, list[frozenset[str]]]:
    """Return the names of modules by their own last name; a package has its modules as names too."""
    found = defaultdict[str, list[frozenset[str]]](list)
    for name, names in _names().items():
        path = Path(name)
        own = path.parent.name if path.stem == "__init__" else path.stem
        found[own].append(names)
        for inner, outer in pairwise((path.stem, *(parent.name for parent in path.parents))):
            found[outer].append(frozenset({inner}))
    return found


def _inside(node: ast.AST, prefix: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name
                yield from _inside(child, f"{prefix}{name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield prefix + name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (prefix + (alias.asname or alias.name) for alias in aliases)
            case ast.stmt():
                yield from _inside(child, prefix)
