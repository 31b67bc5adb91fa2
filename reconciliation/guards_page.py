"""The guards of the database, read from its own catalog."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection

_TRIGGERS = """
    SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), p.prosrc
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relnamespace = current_schema()::regnamespace
    ORDER BY c.relname, t.tgname
"""

# Whether a column may be empty, and what points where, the models say.
_CONSTRAINTS = """
    SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype IN ('c', 'x') AND c.relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT c.relname, i.relname, 'UNIQUE ' || substring(pg_get_indexdef(x.indexrelid) FROM ' USING \\w+ (.*)$')
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    WHERE x.indisunique AND NOT x.indisprimary AND c.relkind = 'r'
      AND c.relnamespace = current_schema()::regnamespace
    ORDER BY 1, 2
"""

_WHEN = re.compile(r"(?:CREATE (?:CONSTRAINT )?TRIGGER \S+ )(.*?) ON \S+(.*?) (?:FOR EACH|WHEN)", re.DOTALL)
_RAISES = re.compile(r"RAISE EXCEPTION '((?:[^']|'')*)'")
_CALLS = re.compile(r"PERFORM (?!pg_)([a-z_]+)\(")
_CASTS = re.compile(r"::(?:character varying|timestamp with time zone|[a-z]+)(?:\[\])?")
_QUOTE = "'"
_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) ([a-z_]+)")


@dataclass(frozen=True, slots=True, order=True)
class Guard:
    """A trigger or a constraint: when it runs, and its effect."""

    table: str
    name: str
    when: str
    does: str


def present() -> list[Guard]:
    """List what guards the database now, by table."""
    return sorted([*_triggers(), *_constraints()])


def page() -> str:
    """Write them as a page of Markdown."""
    lines = [
        "# The guards of the database",
        "",
        "What it refuses or writes by itself, for the API, the desk, a command and SQL by hand alike. Written by",
        "`manage.py guards`; a test compares this page with a database that was just made.",
        "",
        "Constraints stand in the models, triggers and their functions in each app's `guards.py`. To change one, or a",
        "table of statuses: edit it, run `manage.py makemigrations`, and write this page anew (ADR 47).",
    ]
    table = ""
    for guard in present():
        if guard.table != table:
            table = guard.table
            lines += ["", f"## {table}", "", "| guard | when | does |", "|---|---|---|"]
        lines.append(f"| `{guard.name}` | {guard.when} | {guard.does} |")
    return "\n".join(lines) + "\n"


def _triggers() -> Iterator[Guard]:
    for table, name, definition, source in _rows(_TRIGGERS):
        found = _WHEN.search(definition)
        when = " ".join(" ".join(found.groups()).split()) if found else definition
        deferred = " at COMMIT" if "INITIALLY DEFERRED" in definition else ""
        yield Guard(table, name, re.sub(r"\s*(NOT )?DEFERRABLE.*", "", when).lower() + deferred, _told(source))


def _told(source: str) -> str:
    """Say what a function does: what it refuses, in its own words, and what it writes."""
    refused = [f"refuses: {text.replace(_QUOTE * 2, _QUOTE).replace('%', '…')}" for text in _RAISES.findall(source)]
    written = [f"writes `{table}`" for table in _WRITES.findall(source)]
    called = [f"calls `{function}`" for function in _CALLS.findall(source)]
    return "; ".join(dict.fromkeys([*refused, *written, *called])) or "sets its own row"


def _constraints() -> Iterator[Guard]:
    ours = {
        model._meta.db_table
        for app in apps.get_app_configs()
        if Path(app.path).parent == settings.BASE_DIR
        for model in app.get_models()
    }
    for table, name, definition in _rows(_CONSTRAINTS):
        if table in ours:  # the shape of the others is their framework's; triggers are all ours
            yield Guard(table, name, "always", f"`{_CASTS.sub('', definition)}`")


def _rows(sql: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()  # type: ignore[no-any-return]
