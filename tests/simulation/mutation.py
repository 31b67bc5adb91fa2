"""A mutant: a text of one function of the product, replaced as a hurried change might."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class UnfitMutantError(Exception):
    """A mutant does not fit the code any more; the message says why."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A text that is replaced, where it stands, and the tests of the suite that are there for that safety."""

    name: str
    file: str
    place: str
    """The function or class, with a dot before an inner one; or the constant of the module."""
    text: str
    sabotage: str
    suite: str

    def mutate(self, source: str) -> str:
        """Return the source of the file with the text replaced.

        Raises:
            UnfitMutantError: The place or the text is not there exactly once, or the code is no other than before.
        """
        before = ast.parse(source)
        start, end = self._lines(before)
        lines = source.splitlines(keepends=True)
        inside = "".join(lines[start:end])
        found = inside.count(self.text)
        if found != 1:
            raise UnfitMutantError(f"{self.name}: its text stands {found} times in {self.place} of {self.file}.")
        mutated = "".join(lines[:start]) + inside.replace(self.text, self.sabotage) + "".join(lines[end:])
        try:
            after = ast.parse(mutated)
        except SyntaxError as error:
            raise UnfitMutantError(f"{self.name}: it cannot be run: {error}.") from error
        if ast.dump(after) == ast.dump(before):
            raise UnfitMutantError(f"{self.name}: it changes nothing.")
        return mutated

    def _lines(self, module: ast.Module) -> tuple[int, int]:
        found = [lines for name, lines in _places(module) if name == self.place]
        if len(found) != 1:
            raise UnfitMutantError(f"{self.name}: {self.file} has {self.place} {len(found)} times.")
        return found[0]


def _places(module: ast.Module) -> Iterator[tuple[str, tuple[int, int]]]:
    """List what has a name, and from which line up to which it goes, as a slice of the lines."""
    yield from _definitions(module, "")
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((target.id, _span(node)) for target in targets if isinstance(target, ast.Name))


def _definitions(parent: ast.AST, prefix: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, _Definition):
            yield f"{prefix}{node.name}", _span(node)
            yield from _definitions(node, f"{prefix}{node.name}.")


def _span(node: ast.stmt) -> tuple[int, int]:
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
    return first - 1, node.end_lineno or node.lineno
