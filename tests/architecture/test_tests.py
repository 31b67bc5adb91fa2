"""A test stands on its own folder's helpers and on ``tests/support``, and on no other test."""

from collections.abc import Iterator

import pytest

from tests.support.source import Module, breaches, everything, finds, imported


def other_tests_imported(module: Module) -> Iterator[str]:
    """Find imports of a test module, of another folder's helpers, and of a folder's helpers in what all share."""
    if module.package != "tests":
        return
    folder = module.name.split("/")[1]
    for node in module.walk():
        for name in imported(node):
            package, *inside = name.split(".")
            if package != "tests":
                continue
            is_shared = bool(inside) and inside[0] in ("support", folder)
            if not is_shared or any(part.startswith("test_") for part in inside[1:2]):
                yield f"{module.at(node)} imports {name}"


def test_no_test_imports_another() -> None:
    assert "\n".join(breaches(other_tests_imported, everything())) == ""


@pytest.mark.parametrize(
    "fault",
    [
        "from tests.payments.test_refunds import refund",
        "from tests.payments import test_refunds",
        "import tests.payments.test_refunds",
        "from tests.webhooks.signing import deliver",
        "from tests import webhooks",
        "importlib.import_module('tests.webhooks.signing')",
    ],
)
def test_one_that_does_is_seen(fault: str) -> None:
    assert finds(other_tests_imported, fault, name="tests/payments/test_planted.py")
    assert finds(other_tests_imported, fault, name="tests/support/planted.py")


def test_helpers_of_its_folder_and_of_all_are_not() -> None:
    shared = "from tests.support import stripe_events\nfrom tests.payments.said import told"
    assert not finds(other_tests_imported, shared, name="tests/payments/test_planted.py")
