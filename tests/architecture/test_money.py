"""An amount is written for people in one place: no text anywhere else has bare minor units in it."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.environment import ROOT

PACKAGES = ("adminkit", "backoffice", "booking", "catalogue", "common", "idempotency", "notifications", "payments",
            "reconciliation", "sweeps", "tenants", "tools/demo", "webhooks")  # fmt: skip
THE_PLACE = "common/currencies.py"
MONEY = re.compile(r"(^|_)(amounts?|captured|refunded|refunding|refundable|lowest|highest|fees?|net|price|total)(_|$)")
CURRENCY = re.compile(r"(^|_)currency(_|$)")


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def inside(node: ast.expr) -> Iterator[ast.expr]:
    """List what a placeholder writes as it stands; what a function makes of it is another thing."""
    yield node
    if isinstance(node, ast.BinOp):
        yield from inside(node.left)
        yield from inside(node.right)
    if isinstance(node, ast.Call) and name_of(node.func) in ("str", "max", "min", "abs", "int", "round"):
        for argument in node.args:
            yield from inside(argument)


def written_already(tree: ast.AST) -> set[str]:
    """List the names that are given to what the one place has written."""
    return {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and any(isinstance(one, ast.Call) and name_of(one.func) in ("shown", "written") for one in ast.walk(node.value))
        for target in node.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }


def bare_money(source: str) -> list[str]:
    """Return the texts of a module that write minor units: an f-string, or a ``format``, with an amount in it."""
    found, tree = [], ast.parse(source)
    texts = written_already(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        else:
            continue
        written = [
            one for part in parts for one in inside(part) if not isinstance(one, ast.Name) or one.id not in texts
        ]
        is_of_money = any(CURRENCY.search(name_of(part)) for part in parts)
        if any(MONEY.search(name_of(one)) or (is_of_money and isinstance(one, ast.BinOp)) for one in written):
            found.append(ast.unparse(node))
    return found


class TestMoney:
    def test_is_written_in_one_place(self) -> None:
        paths = [
            path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts
        ]
        assert len(paths) > 150
        found = {str(path.relative_to(ROOT)): bare_money(path.read_text()) for path in paths}
        assert {name: texts for name, texts in found.items() if texts and name != THE_PLACE} == {}

    @pytest.mark.parametrize(
        "planted",
        [
            'f"We ask for {payment.amount} {payment.currency}"',
            'f"Only {amount} are held."',
            'f"{max(lowest, step)} {currency} at least"',
            'f"{amount / 100:.2f} {currency}"',
            'f"{x / 100:.2f} {row.currency}"',
            '"{} {}".format(row.amount_captured, row.currency)',
            'f"{str(theirs.amount)} left"',
        ],
    )
    def test_what_is_planted_is_seen(self, planted: str) -> None:
        assert bare_money(f"text = {planted}") != []

    @pytest.mark.parametrize(
        "sound",
        [
            'f"{currencies.shown(amount, currency)} is held"',
            'f"{row} is {status}"',
            '""; captured = currencies.shown(row.captured, row.currency); f"{captured} is held"',
        ],
    )
    def test_what_is_sound_is_not(self, sound: str) -> None:
        assert bare_money(f"text = {sound}") == []
