"""Guards in migrations: operations with SQL, and detection of changes.

``makemigrations`` compares with ``guards.py``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from textwrap import dedent
from typing import Any

from django.apps import apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.serializer import BaseSerializer
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import MigrationWriter

from common.guards import Guard


@dataclass(frozen=True, slots=True)
class Sql:
    """SQL that a migration shows in lines, indented as the file is."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", dedent(self.text).strip("\n"))


class SqlSerializer(BaseSerializer):
    """Writes SQL between three quotes."""

    def serialize(self) -> tuple[str, set[str]]:
        """Return the text, and what it needs imported."""
        text = self.value.text.replace("\\", "\\\\")
        return f'common.guard_migrations.Sql("""\n{text}\n""")', {"import common.guard_migrations"}


MigrationWriter.register_serializer(Sql, SqlSerializer)


class PutGuard(Operation):
    """Creates or replaces a guard; ``before`` is the SQL it replaces."""

    category = OperationCategory.SQL
    reduces_to_sql = True
    reversible = True

    def __init__(self, name: str, sql: Sql, before: Sql | None = None) -> None:
        self.name, self.sql, self.before = name, sql, before

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change no model."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Make the guard."""
        _put(schema_editor, self.name, self.sql)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Make what was before, or drop the guard."""
        if self.before:
            _put(schema_editor, self.name, self.before)
        else:
            schema_editor.execute(f"DROP {self.name}", params=None)

    def describe(self) -> str:
        """Say what it does."""
        return f"Put {self.name}"

    @property
    def migration_name_fragment(self) -> str:
        """Name the file of a migration."""
        return "guards"


class DropGuard(Operation):
    """Drops a guard; ``before`` is the SQL that it was made by."""

    category = OperationCategory.SQL
    reduces_to_sql = True
    reversible = True

    def __init__(self, name: str, before: Sql) -> None:
        self.name, self.before = name, before

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change no model."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop it."""
        schema_editor.execute(f"DROP {self.name}", params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Make it again."""
        _put(schema_editor, self.name, self.before)

    def describe(self) -> str:
        """Say what it does."""
        return f"Drop {self.name}"


class GuardAutodetector(MigrationAutodetector):
    """Finds changes of the models, and of each app's ``guards.py``."""

    def changes(
        self,
        graph: MigrationGraph,
        trim_to_apps: Any = None,
        convert_apps: Any = None,
        migration_name: str | None = None,
    ) -> dict[str, list[Migration]]:
        """Return the migrations to write, by app."""
        found: dict[str, list[Migration]] = super().changes(graph, trim_to_apps, convert_apps, migration_name)
        for app_label in _modules():
            if trim_to_apps and app_label not in trim_to_apps:
                continue
            operations = list(differences(frozen(graph, app_label), declared(app_label)))
            if operations:
                found.setdefault(app_label, []).append(self._migration(graph, app_label, found, operations))
        return found

    def _migration(
        self, graph: MigrationGraph, app_label: str, found: Mapping[str, list[Migration]], operations: list[Operation]
    ) -> Migration:
        last = _last(graph, app_label, found)
        needed: tuple[str, ...] = _modules()[app_label].AFTER
        dependencies = [(app_label, last), *((app, _last(graph, app, found)) for app in needed)]
        written: type[Migration] = type(
            "Migration", (Migration,), {"dependencies": dependencies, "operations": operations}
        )
        return written(f"{(self.parse_number(last) or 0) + 1:04}_guards", app_label)


def declared(app_label: str) -> dict[str, Sql]:
    """Return an app's guards by name, as in its ``guards.py``."""
    guards: tuple[Guard, ...] = _modules()[app_label].GUARDS
    return {guard.name: Sql(guard.sql) for guard in guards}


def frozen(graph: MigrationGraph, app_label: str) -> dict[str, Sql]:
    """Return an app's guards by name, as its migrations leave them."""
    guards: dict[str, Sql] = {}
    migrations = {key: node for key, node in graph.nodes.items() if node and key[0] == app_label}
    for _, migration in sorted(migrations.items()):
        for operation in migration.operations:
            if isinstance(operation, PutGuard):
                guards[operation.name] = operation.sql
            if isinstance(operation, DropGuard):
                del guards[operation.name]
    return guards


def differences(before: Mapping[str, Sql], after: Mapping[str, Sql]) -> Iterator[Operation]:
    """Yield the operations from one set of guards to the other.

    A function is there before its triggers, and goes after them.
    """
    gone = [name for name in before if name not in after]
    yield from (DropGuard(name, before[name]) for name in gone if name.startswith("TRIGGER "))
    for name, sql in after.items():
        if name not in before:
            yield PutGuard(name, sql)
        elif sql != before[name]:
            yield PutGuard(name, sql, before[name])
    yield from (DropGuard(name, before[name]) for name in gone if not name.startswith("TRIGGER "))


def _put(schema_editor: BaseDatabaseSchemaEditor, name: str, sql: Sql) -> None:
    if name.startswith("TRIGGER "):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name.removeprefix('TRIGGER ')}", params=None)
    schema_editor.execute(sql.text, params=None)


def _modules() -> dict[str, Any]:
    """Return the ``guards.py`` of each app that has one, in the order of the settings: from below to above.

    ``AFTER`` in it names the apps whose tables or functions its guards need.
    """
    names = {config.label: f"{config.name}.guards" for config in apps.get_app_configs()}
    return {label: import_module(name) for label, name in names.items() if find_spec(name)}


def _last(graph: MigrationGraph, app_label: str, found: Mapping[str, list[Migration]]) -> str:
    if found.get(app_label):
        return found[app_label][-1].name
    return max((name for _, name in graph.leaf_nodes(app_label)), default="__first__")
