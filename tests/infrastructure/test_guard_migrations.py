"""Guards are made from ``guards.py`` of their apps, and a change there is noticed until it has a migration."""

import importlib
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter
from django.utils import timezone

import booking.guards
from booking import states
from booking.states import ReservationStatus
from common import guards
from common.guard_migrations import DropGuard, PutGuard, Sql, declared, differences, frozen
from payments.models import ProviderThrottle

APPS = ("tenants", "catalogue", "payments", "booking", "webhooks", "reconciliation", "notifications")


@pytest.fixture
def late_payment_is_refused(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A table of reservations that has lost a transition: an expired one is never paid."""
    table = dict(states.RESERVATION_TRANSITIONS) | {ReservationStatus.EXPIRED: frozenset()}
    with monkeypatch.context() as patch:
        patch.setattr(states, "RESERVATION_TRANSITIONS", MappingProxyType(table))
        importlib.reload(booking.guards)
        yield
    importlib.reload(booking.guards)


def checked() -> int:
    """Return the exit code of ``makemigrations --check``."""
    try:
        call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def migration_of(*operations: Operation) -> Migration:
    made: Migration = type("Migration", (Migration,), {"operations": list(operations)})("0009_guards", "payments")
    return made


class TestNoticed:
    def test_nothing_when_every_guard_has_its_migration(self, db: None) -> None:
        assert checked() == 0

    def test_a_transition_that_is_gone(self, db: None, late_payment_is_refused: None) -> None:
        assert checked() == 1
        graph = MigrationLoader(None).graph
        (change,) = differences(frozen(graph, "booking"), declared("booking"))
        assert isinstance(change, PutGuard)
        assert change.name == "FUNCTION booking_reservation_moves"
        assert change.before is not None
        pair = "('expired', 'paid')"
        assert (pair in change.before.text, pair in change.sql.text) == (True, False)

    def test_a_guard_that_is_gone_and_one_that_is_new(self) -> None:
        old = {"FUNCTION no": Sql("f"), "TRIGGER no ON t": Sql("t"), "TRIGGER yes ON t": Sql("y")}
        new = {"TRIGGER yes ON t": Sql("y"), "FUNCTION never": Sql("n")}
        assert [change.describe() for change in differences(old, new)] == [
            "Drop TRIGGER no ON t", "Put FUNCTION never", "Drop FUNCTION no",
        ]  # fmt: skip


class TestDatabase:
    def test_has_the_guards_of_every_app_and_no_other(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 'TRIGGER ' || tgname || ' ON ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal "
                "UNION ALL SELECT DISTINCT 'FUNCTION ' || proname FROM pg_proc p JOIN pg_language l ON l.oid = prolang "
                "WHERE pronamespace = 'public'::regnamespace AND lanname IN ('sql', 'plpgsql')"
            )
            there = {name for (name,) in cursor.fetchall()}
        assert there == {name for app in APPS for name in declared(app)} | {"FUNCTION booking_words"}


class TestOperations:
    """A migration carries the SQL itself, and can be taken back."""

    NAME = "TRIGGER no_more ON payments_providerthrottle"
    TRIGGER = guards.trigger("no_more", "BEFORE INSERT", "payments_providerthrottle", calls="says")

    def run(self, *operations: Operation, backwards: bool = False) -> None:
        migration = migration_of(*operations)
        with connection.schema_editor() as editor:
            (migration.unapply if backwards else migration.apply)(ProjectState(), editor)

    def told(self) -> str:
        with pytest.raises(DatabaseError) as refused, transaction.atomic():
            ProviderThrottle.objects.create(provider="p", minute=timezone.now())
        return str(refused.value).splitlines()[0]

    @staticmethod
    def says(word: str) -> Sql:
        return Sql(guards.function("says", guards.refuse(word)).sql)

    def test_forwards_and_backwards(self, db: None) -> None:
        first = PutGuard("FUNCTION says", self.says("It's no, 100 %%."))
        made = PutGuard(self.NAME, Sql(self.TRIGGER.sql))
        self.run(first, made)
        assert self.told() == "It's no, 100 %."
        second = PutGuard("FUNCTION says", self.says("never"), self.says("It's no, 100 %%."))
        self.run(second)
        assert self.told() == "never"
        self.run(second, backwards=True)
        assert self.told() == "It's no, 100 %."
        dropped = DropGuard(self.NAME, Sql(self.TRIGGER.sql))
        self.run(dropped)
        ProviderThrottle.objects.create(provider="p", minute=timezone.now())
        self.run(dropped, backwards=True)
        assert self.told() == "It's no, 100 %."
        self.run(first, made, backwards=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regproc('says')")
            assert cursor.fetchone() == (None,)

    def test_are_written_as_text_that_reads_the_same(self) -> None:
        given = Sql("SELECT '\\d', $$100 %$$\n    FROM \"x\"\nWHERE y")
        migration = migration_of(PutGuard("FUNCTION says", given), DropGuard("FUNCTION no", given))
        read: dict[str, Any] = {}
        exec(MigrationWriter(migration).as_string(), read)  # noqa: S102  # what makemigrations would have written
        put, drop = read["Migration"].operations
        assert (put.name, put.sql, put.before) == ("FUNCTION says", given, None)
        assert (drop.name, drop.before) == ("FUNCTION no", given)
