"""Locks, transactions and states: where each may be written."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.source import Module, breaches, finds

LOCKING = re.compile(
    r"\bFOR\s+(NO\s+KEY\s+)?UPDATE\b|\bFOR\s+(KEY\s+)?SHARE\b|\bLOCK\s+TABLE\b|\bpg_(try_)?advisory", re.IGNORECASE
)
LOCKED_ELSEWHERE = {
    "common/outbox.py": "the claim of a row is one statement that locks, counts and leases",
    "sweeps/scheduling.py": "an advisory lock of the one who writes the schedules",
    "booking/sold_guards.py": "triggers: a sale holds its activity, and a change of what is sold waits for it",
}
OPENS_TRANSACTIONS = {
    "common/database.py": "opens every use case",
    "common/loops.py": "the savepoint of a row, beside the except of its loop",
}


def locks_outside_of_locking_modules(module: Module) -> Iterator[str]:
    """Find locks outside of ``locks.py``."""
    if module.name.endswith("/locks.py"):
        return
    for node in module.walk():
        if isinstance(node, ast.Attribute) and node.attr == "select_for_update":
            yield module.at(node)
    if module.name not in LOCKED_ELSEWHERE:
        yield from (module.at(text) for text in module.texts() if LOCKING.search(str(text.value)))


def states_set_outside_of_models(module: Module) -> Iterator[str]:
    """Find a status that is set by other than a method of its model, one by one or by a query."""
    is_model = re.search(r"/models(/\w+)?\.py$", module.name)
    for node in module.walk():
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "status":
            is_its_own = is_model and isinstance(node.value, ast.Name) and node.value.id == "self"
        else:
            is_its_own = not (isinstance(node, ast.Call) and is_update_of_status(node))
        if not is_its_own:
            yield module.at(node)


def is_update_of_status(call: ast.Call) -> bool:
    """Say whether a call is ``setattr(…, "status", …)`` or ``QuerySet.update(status=…)``."""
    if isinstance(call.func, ast.Name) and call.func.id == "setattr":
        return any(isinstance(given, ast.Constant) and given.value == "status" for given in call.args[1:2])
    is_update = isinstance(call.func, ast.Attribute) and call.func.attr == "update"
    of_rows = is_update and "objects" in ast.unparse(call.func)
    return of_rows and any(keyword.arg == "status" for keyword in call.keywords)


def bare_transactions(module: Module) -> Iterator[str]:
    """Find ``atomic`` that is not a savepoint directly inside the ``try`` whose ``except`` it is for."""
    if module.name in OPENS_TRANSACTIONS:
        return
    for node in module.walk():
        is_named = isinstance(node, ast.Attribute | ast.Name)
        if not (is_named and ast.unparse(node).split(".")[-1] == "atomic"):
            continue
        block = next((above for above in module.above(node) if isinstance(above, ast.With)), None)
        beside = module.parents[block] if block is not None else None
        if not (isinstance(beside, ast.Try) and beside.handlers and block in beside.body):
            yield module.at(node)


def cursors_at_the_server(module: Module) -> Iterator[str]:
    """Find ``iterator()``: outside of a transaction a pooler loses it. ``loops.pages`` needs none."""
    for node in module.walk():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "iterator":
            yield module.at(node)


class TestLocks:
    def test_are_taken_in_locking_modules_only(self) -> None:
        assert "\n".join(breaches(locks_outside_of_locking_modules)) == ""

    @pytest.mark.parametrize(
        "fault",
        [
            "# a comment\nrows = Slot.objects.select_for_update().get()",
            "take = Slot.objects.select_for_update",
            'cursor.execute("SELECT 1 FROM catalogue_slot FOR UPDATE")',
            'cursor.execute(f"SELECT 1 FROM {table} FOR NO KEY UPDATE SKIP LOCKED")',
            'cursor.execute("select pg_advisory_lock(1)")',
        ],
    )
    def test_one_elsewhere_is_seen(self, fault: str) -> None:
        assert finds(locks_outside_of_locking_modules, fault)
        assert finds(locks_outside_of_locking_modules, fault, name="backoffice/planted.py")
        assert not finds(locks_outside_of_locking_modules, fault, name="booking/locks.py")


class TestStates:
    def test_are_set_by_their_models_only(self) -> None:
        carries_it = "common/states.py"  # an exception
        found = [breach for breach in breaches(states_set_outside_of_models) if not breach.startswith(carries_it)]
        assert found == []

    @pytest.mark.parametrize(
        "fault",
        [
            "payment.status = 'succeeded'",
            "payment.status, payment.reason = 'succeeded', ''",
            "payment.status += 'x'",
            "setattr(payment, 'status', 'succeeded')",
            "Payment.objects.filter(pk=1).update(status='succeeded')",
        ],
    )
    def test_one_elsewhere_is_seen(self, fault: str) -> None:
        assert finds(states_set_outside_of_models, fault)
        assert finds(states_set_outside_of_models, fault, name="payments/models/payment.py")

    def test_a_model_sets_its_own(self) -> None:
        assert not finds(states_set_outside_of_models, "self.status = 'x'", name="payments/models/payment.py")


class TestTransactions:
    def test_are_opened_by_use_cases(self) -> None:
        assert "\n".join(breaches(bare_transactions)) == ""

    @pytest.mark.parametrize(
        "fault",
        [
            "with transaction.atomic():\n    pass",
            "@transaction.atomic\ndef f():\n    pass",
            "from django.db.transaction import atomic\nwith atomic():\n    pass",
            "try:\n    pass\nexcept ValueError:\n    with transaction.atomic():\n        pass",
            "try:\n    with transaction.atomic():\n        pass\nfinally:\n    pass",
            "try:\n    for row in rows:\n        with transaction.atomic():\n            pass\nexcept E:\n    pass",
        ],
    )
    def test_a_bare_one_is_seen(self, fault: str) -> None:
        assert finds(bare_transactions, fault)

    def test_a_savepoint_beside_its_except_is_none(self) -> None:
        assert not finds(bare_transactions, "try:\n    with transaction.atomic():\n        pass\nexcept E:\n    pass")

    def test_no_cursor_stays_open_at_the_server(self) -> None:
        assert "\n".join(breaches(cursors_at_the_server)) == ""

    def test_one_would_be_seen(self) -> None:
        assert finds(cursors_at_the_server, "for row in Slot.objects.all().iterator():\n    pass")
