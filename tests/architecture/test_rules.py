"""Our own rules, where no linter knows them."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps

from tests.environment import ROOT

ABOVE = frozenset(("demo", "config", "sweeps", "notifications", "reconciliation", "webhooks"))
APPS = ABOVE | {"booking", "payments", "idempotency", "tenants", "common"}
LISTING = (shutil.which("git") or "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
LOCKING = re.compile(r"select_for_update|FOR (NO KEY )?UPDATE|FOR SHARE")
SECRETS = re.compile(
    r"sk_live_[A-Za-z0-9]{10}|rk_live_[A-Za-z0-9]{10}|sk_test_[A-Za-z0-9]{20}|whsec_[A-Za-z0-9]{24}"
    r"|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|hf_[A-Za-z0-9_-]{40}|gh[ps]_[A-Za-z0-9]{30}"
)


@cache
def tracked(suffix: str = "") -> list[Path]:
    """List the files of the repository."""
    listed = subprocess.run(LISTING, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name.endswith(suffix) and name and (ROOT / name).is_file()]


def product() -> Iterator[tuple[str, str]]:
    """Yield every module of the product, by name, without migrations."""
    for path in tracked(".py"):
        name = str(path.relative_to(ROOT))
        if name.split("/")[0] in APPS and "/migrations/" not in name:
            yield name, path.read_text()


class TestRules:
    def test_locks_are_taken_in_locking_modules_only(self) -> None:
        # The claim of a command is one statement that locks, counts and leases; it stands with what it claims.
        locking = ("booking", "payments", "webhooks", "reconciliation", "notifications")
        locks = {f"{app}/locks.py" for app in locking}
        code = {name: re.sub(r'"""[A-Z].*?"""|#.*', "", text, flags=re.S) for name, text in product()}
        assert {name for name, text in code.items() if LOCKING.search(text)} == locks | {"payments/commands.py"}
        assert {name for name, text in code.items() if "select_for_update" in text} == locks

    def test_a_status_is_set_by_its_model_only(self) -> None:
        elsewhere = {
            name
            for name, text in product()
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "status"
            if not (
                re.search(r"/models(/\w+)?\.py$", name) and isinstance(node.value, ast.Name) and node.value.id == "self"
            )
        }
        assert elsewhere == {"common/states.py"}  # an exception that carries it

    def test_a_providers_sdk_is_imported_in_one_module(self) -> None:
        importing = {
            name
            for name, text in product()
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import) and any(alias.name == "stripe" for alias in node.names)
        }
        assert importing == {"payments/providers/stripe.py"}

    def test_transactions_are_opened_by_use_cases(self) -> None:
        # A bare atomic() is a savepoint, beside the except that it is for.
        bare = {name for name, text in product() if "transaction.atomic(" in text}
        assert bare == {"common/database.py", "booking/settlement.py", "webhooks/inbox.py"}

    def test_files_and_functions_stay_small(self) -> None:
        for path in tracked(".py"):
            name = str(path.relative_to(ROOT))
            if "/migrations/" in name:
                continue
            text = path.read_text()
            assert text.count("\n") <= 310, f"{name} is too long"
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    lines = (node.end_lineno or node.lineno) - node.lineno
                    assert lines <= 60, f"{name}: {node.name} is too long"

    def test_what_is_public_is_described(self) -> None:
        for name, text in product():
            tree = ast.parse(text)
            assert ast.get_docstring(tree) or not tree.body, f"{name} has no docstring"
            for node in tree.body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    assert ast.get_docstring(node), f"{name}: {node.name} has no docstring"

    def test_names_of_constraints_are_unique(self) -> None:
        names = [row.name for model in apps.get_models() for row in (*model._meta.constraints, *model._meta.indexes)]
        ours = [name for name in names if not name.startswith("django_q")]
        assert len(ours) == len(set(ours))

    def test_no_secret_is_in_the_repository(self) -> None:
        for path in tracked():
            text = path.read_bytes().decode("utf-8", "replace")
            found = SECRETS.search(text)
            assert found is None, f"{path.relative_to(ROOT)} has what looks like a secret"

    @pytest.mark.parametrize("secret", ["sk_live_" + "a" * 24, "whsec_" + "A1" * 16, "AKIA" + "A" * 16])
    def test_a_secret_would_be_found(self, secret: str) -> None:
        assert SECRETS.search(f"KEY={secret}")

    def test_nothing_is_left_unfinished(self) -> None:
        marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b|pytest\.(skip|xfail)|mark\.(skip|xfail)")
        mine = Path(__file__).resolve()
        for path in tracked(".py"):
            found = None if path == mine else marks.search(path.read_text())
            assert found is None, f"{path.relative_to(ROOT)}: {found}"
