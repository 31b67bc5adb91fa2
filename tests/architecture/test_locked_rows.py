"""What a query reads beside a row is handed on as a typed value, not as a field that its class does not have."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.source import Module, breaches, everything, finds

MAKES_THEM = "common/locking.py"
TIME = "db_now"
UNTYPED = re.compile(r"\block|\bannotat", re.IGNORECASE)


def times_on_rows(module: Module) -> Iterator[str]:
    """Find a row's time that is read, written or asked for elsewhere than where ``AsOf`` and ``Locked`` are made."""
    if module.name == MAKES_THEM:
        return
    for node in module.walk():
        named = {ast.Attribute: "attr", ast.keyword: "arg", ast.Constant: "value"}.get(type(node), "")
        if (named and getattr(node, named) == TIME) or (isinstance(node, ast.Call) and annotates_the_time(node)):
            yield module.at(node)


def annotates_the_time(call: ast.Call) -> bool:
    """Say whether a call is ``annotate(…=Now())``, under whatever name."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "annotate"):
        return False
    return any(ast.unparse(keyword.value).split(".")[-1] == "Now()" for keyword in call.keywords)


def claims_to_be_locked(module: Module) -> Iterator[str]:
    """Find a ``Locked`` that is made by other than a lock function."""
    if module.name.endswith("/locks.py") or module.name == MAKES_THEM:
        return
    for node in module.walk():
        if isinstance(node, ast.Call) and "Locked" in re.split(r"\W+", ast.unparse(node.func)):
            yield module.at(node)


def ignored_for_a_lock(module: Module) -> Iterator[str]:
    """Find what the type checker ignores because a lock, or a query, has put it on a row."""
    for ignored in module.tree.type_ignores:
        if UNTYPED.search(ignored.tag):
            yield f"{module.name}:{ignored.lineno}"


class TestTimes:
    def test_are_taken_off_rows_in_one_place(self) -> None:
        assert "\n".join(breaches(times_on_rows)) == ""

    @pytest.mark.parametrize(
        "fault",
        [
            "at = payment.db_now",
            "reservation.payment.db_now = reservation.at",
            "at = getattr(payment, 'db_now')",
            "at = vars(payment)['db_now']",
            "rows = Payment.objects.annotate(db_now=Clock())",
            "rows = Payment.objects.filter(pk=1).annotate(clock=Now())",
            "rows = Payment.objects.annotate(clock=functions.Now())",
        ],
    )
    def test_one_elsewhere_is_seen(self, fault: str) -> None:
        assert finds(times_on_rows, fault)
        assert finds(times_on_rows, fault, name="booking/locks.py")
        assert not finds(times_on_rows, fault, name=MAKES_THEM)

    def test_a_time_that_is_compared_with_is_none(self) -> None:
        assert not finds(times_on_rows, "rows = Slot.objects.filter(starts_at__gt=Now()).annotate(left=F('capacity'))")


class TestLocked:
    def test_is_made_by_lock_functions_only(self) -> None:
        assert "\n".join(breaches(claims_to_be_locked)) == ""

    @pytest.mark.parametrize(
        "fault",
        ["x = Locked.of(row)", "x = Locked(row, at)", "x = Locked[Payment](row, at)", "x = locking.Locked.of(row)"],
    )
    def test_one_elsewhere_is_seen(self, fault: str) -> None:
        assert finds(claims_to_be_locked, fault)
        assert not finds(claims_to_be_locked, fault, name="booking/locks.py")

    def test_one_that_is_named_is_none(self) -> None:
        assert not finds(claims_to_be_locked, "def f(locked: Locked[Payment]) -> None:\n    g(locked.row)")


class TestIgnored:
    def test_is_nothing_that_a_lock_or_a_query_adds(self) -> None:
        assert "\n".join(breaches(ignored_for_a_lock, everything())) == ""

    @pytest.mark.parametrize(
        "comment",
        ["[attr-defined]  # annotated by the lock", "[attr-defined]  # it is locked", "  # an Annotation of the list"],
    )
    def test_one_would_be_seen(self, comment: str) -> None:
        assert finds(ignored_for_a_lock, f"at = row.moment  # type: ignore{comment}")

    def test_what_is_ignored_for_another_reason_is_none(self) -> None:
        assert not finds(ignored_for_a_lock, "class A(B):  # type: ignore[misc]  # blocks have no types\n    x = 1")
