"""Rows are worked on by ``common/loops.py`` alone, and whatever may fail is caught in few places."""

import ast
from collections.abc import Collection, Iterator

import pytest

from tests.support.source import Function, Module, breaches, finds

OTHER_LOOPS = {
    ("booking/expiring.py", "_batches"): "its batches are the rows of the loop",
    ("payments/throttle.py", "read_list"): "reads one list page by page; what it raises ends the reading",
    ("adminkit/large_lists.py", "exactly"): "asks fields, not rows",
    ("adminkit/lists.py", "exactly"): "asks fields, not rows",
    ("config/postgres_programs.py", "find"): "tries folders",
    ("idempotency/ending.py", "_keep_trying"): "tries one thing until the database is back",
    ("payments/providers/stripe/fields.py", "readable"): "reads a list, whose objects are the rows of the loop",
}
CATCHES_ALL = {
    ("common/bounded_call.py", "_run"): "a probe answers whatever happens",
    ("common/tasks.py", "queued"): "the queue shows the words of whatever it gets",
    ("idempotency/views.py", "_run"): "every outcome is the answer to the key",
    ("notifications/sending.py", "_hand_over"): "whatever is wrong with a mail is noted on it",
    ("reconciliation/status_checks.py", "reconcile_one"): "every failure of a check is recorded on it",
    ("sweeps/registry.py", "run"): "how a sweep ended is noted",
    ("adminkit/actions.py", "do"): "whatever a row raises is told on the page",
    ("webhooks/inbox.py", "_apply"): "an event is kept whatever is wrong with it",
    ("webhooks/inbox.py", "_read"): "an event is kept whatever is in it",
}
OPENING = ("use_case", "atomic")
OF_ROWS = {
    "", "Exception", "BaseException", "DatabaseError", "IntegrityError", "OperationalError", "HoldfastError",
    "BusyError", "ProviderError", "PausedError",
}  # fmt: skip
"""Errors that say something of a row rather than of a text."""


def loops_that_isolate(module: Module) -> Iterator[str]:
    """Find a loop that catches errors of its rows, or opens a transaction for each, itself or by a function beside it.

    Trying one thing several times (``for _ in range(…)``) is none.
    """
    if module.name == "common/loops.py":
        return
    isolating = {node.name for node in module.walk() if isinstance(node, Function) and any(isolates(node, of=OF_ROWS))}
    for node in module.walk():
        if isinstance(node, ast.For | ast.AsyncFor | ast.While) and not is_retry(node):
            inside = any(isolates(node)) or bool(calls(node) & isolating)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            inside = bool(calls(node) & isolating)
        else:
            continue
        if inside and (module.name, module.function_of(node)) not in OTHER_LOOPS:
            yield f"{module.at(node)} in {module.function_of(node)}"


def isolates(block: ast.AST, *, of: Collection[str] = ()) -> Iterator[bool]:
    """Yield for each ``except`` (of some errors) and each transaction of a block; functions in it are not of it."""
    for node in own(block):
        if isinstance(node, ast.ExceptHandler) and (not of or caught(node) & set(of)):
            yield True
        if isinstance(node, ast.With):
            yield from (True for item in node.items if ast.unparse(item.context_expr).split("(")[0].endswith(OPENING))


def calls(block: ast.AST) -> set[str]:
    """Return the names of the functions of the module that a loop calls."""
    found = [node.func for node in own(block) if isinstance(node, ast.Call)]
    return {name.id for name in found if isinstance(name, ast.Name)}


def own(block: ast.AST) -> Iterator[ast.AST]:
    """Yield what is in a block, without the functions in it; of a loop its body, not what it goes over."""
    if isinstance(block, ast.For | ast.AsyncFor | ast.While | Function):
        waiting: list[ast.AST] = list(block.body)
    else:
        waiting = list(ast.iter_child_nodes(block))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def is_retry(loop: ast.For | ast.AsyncFor | ast.While) -> bool:
    """Say whether a loop tries one thing a number of times."""
    over = loop.iter if isinstance(loop, ast.For) else None
    return isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id == "range"


def blind_excepts(module: Module) -> Iterator[str]:
    """Find an ``except`` for everything, but where it is said why."""
    if module.name == "common/loops.py":
        return
    for node in module.walk():
        if not isinstance(node, ast.ExceptHandler):
            continue
        where = (module.name, module.function_of(node))
        last = node.body[-1]
        if isinstance(last, ast.Raise) and last.exc is None:
            continue  # it is raised on
        if caught(node) & {"", "Exception", "BaseException"} and where not in CATCHES_ALL:
            yield f"{module.at(node)} in {where[1]}"


def caught(handler: ast.ExceptHandler) -> set[str]:
    """Return the names of the errors that are caught; empty: all."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {"" if kind is None else ast.unparse(kind).split(".")[-1] for kind in kinds}


def swallowed_by_a_with(module: Module) -> Iterator[str]:
    """Find ``suppress(Exception)``."""
    for node in module.walk():
        if not isinstance(node, ast.Call) or ast.unparse(node.func).split(".")[-1] != "suppress":
            continue
        if {ast.unparse(each).split(".")[-1] for each in node.args} & {"Exception", "BaseException"}:
            yield module.at(node)


class TestLoops:
    def test_there_is_no_other(self) -> None:
        assert "\n".join(breaches(loops_that_isolate)) == ""

    @pytest.mark.parametrize(
        "fault",
        [
            "for row in rows:\n    try:\n        work(row)\n    except ValueError:\n        pass",
            "for row in rows:\n    with database.use_case():\n        work(row)",
            "while row := claim():\n    if row:\n        try:\n            f(row)\n        except E:\n            pass",
            "def f(row):\n    with use_case():\n        pass\n\ndef g():\n    return sum(f(row) for row in rows)",
            "def f(r):\n    try:\n        g()\n    except E.BusyError:\n        g()\n\n[f(r) for r in rows]",
        ],
    )
    def test_another_is_seen(self, fault: str) -> None:
        assert finds(loops_that_isolate, fault)

    @pytest.mark.parametrize(
        "sound",
        [
            "for _ in range(3):\n    try:\n        return work()\n    except E:\n        pass",
            "for row in rows:\n    def work():\n        try:\n            pass\n        except E:\n            pass",
            "for row in rows:\n    work(row)",
        ],
    )
    def test_what_isolates_no_row_is_none(self, sound: str) -> None:
        assert not finds(loops_that_isolate, sound)


class TestExcepts:
    def test_catch_everything_in_named_places_only(self) -> None:
        assert "\n".join(breaches(blind_excepts)) == ""
        assert "\n".join(breaches(swallowed_by_a_with)) == ""

    @pytest.mark.parametrize(
        "fault",
        ["except Exception:", "except:", "except BaseException:", "except (ValueError, Exception):"],
    )
    def test_one_elsewhere_is_seen(self, fault: str) -> None:
        assert finds(blind_excepts, f"try:\n    pass\n{fault}\n    pass")

    def test_a_with_that_swallows_all_is_seen(self) -> None:
        assert finds(swallowed_by_a_with, "with contextlib.suppress(Exception):\n    pass")
