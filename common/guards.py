"""Guards of the database as Python functions that return SQL.

Each app lists its own in ``guards.py`` (docs/guards.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import dedent, fill, indent

EXPLANATION = ("changed_at", "changed_by", "changed_because")
"""Columns that say when, who and why."""

ACTOR = "left(coalesce(nullif(current_setting('holdfast.actor', true), ''), 'database:' || session_user), 200)"
"""Who changes a row, as SQL: named by ``common.database.name_actor``, or else the user of the database."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A function or trigger: its name for ``DROP``, and its SQL."""

    name: str
    sql: str


def function(name: str, *statements: str, declare: str = "") -> Guard:
    """Return a trigger function of this name, which does these statements."""
    body = "\n".join(_inside(statement) for statement in statements)
    declared = f"DECLARE\n{_inside(declare)}\n" if declare else ""
    return Guard(
        f"FUNCTION {name}",
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\n{declared}BEGIN\n{body}\nEND $$",
    )


def trigger(name: str, when: str, table: str, *, calls: str, condition: str = "") -> Guard:
    """Return a row trigger; ``when`` is such as ``BEFORE UPDATE OF status``."""
    return _trigger(name, when, table, calls=calls, scope="FOR EACH ROW", condition=condition)


def at_commit(name: str, when: str, table: str, *, calls: str, condition: str = "") -> Guard:
    """Return a row trigger that runs at COMMIT.

    Rows of one transaction come in any order.
    """
    scope = "DEFERRABLE INITIALLY DEFERRED\n    FOR EACH ROW"
    return _trigger(name, when, table, calls=calls, scope=scope, condition=condition, kind="CONSTRAINT TRIGGER")


def of_statement(name: str, when: str, table: str, *, calls: str, new_rows: str = "", condition: str = "") -> Guard:
    """Return a statement trigger, which sees the changed rows as a table."""
    scope = f"REFERENCING NEW TABLE AS {new_rows}\n    FOR EACH STATEMENT" if new_rows else "FOR EACH STATEMENT"
    return _trigger(name, when, table, calls=calls, scope=scope, condition=condition)


def kept(table: str, name: str, *, by: str) -> tuple[Guard, ...]:
    """Return triggers that refuse DELETE and TRUNCATE; ``by`` is their function."""
    return (trigger(name, "BEFORE DELETE", table, calls=by), never_emptied(table, by=by))


def append_only(table: str, name: str, *, by: str) -> tuple[Guard, ...]:
    """Return triggers that allow INSERT only; ``by`` is their function."""
    return (trigger(name, "BEFORE UPDATE OR DELETE", table, calls=by), never_emptied(table, by=by))


def never_emptied(table: str, *, by: str) -> Guard:
    """Return the trigger against TRUNCATE, which asks no trigger of a row."""
    return of_statement("is_never_emptied", "BEFORE TRUNCATE", table, calls=by)


def refusal(name: str, why: str) -> Guard:
    """Return the function that refuses what its trigger is about."""
    return function(name, refuse(f"% on % is refused: {why}", "TG_OP", "TG_TABLE_NAME", code="restrict_violation"))


def status_history(table: str, name: str, *, into: str, key: str) -> tuple[Guard, ...]:
    """Return a trigger that records each status: when, who and why."""
    calls = f"{table}_history"
    write = f"""
        INSERT INTO {into} ({key}, at, from_status, to_status, actor, reason)
        VALUES (NEW.id, NEW.changed_at, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END, NEW.status,
                NEW.changed_by, NEW.changed_because);
        RETURN NULL;
        """
    return (
        function(calls, write),
        trigger(f"{name}_history_of_insert", "AFTER INSERT", table, calls=calls),
        trigger(f"{name}_history_of_update", "AFTER UPDATE OF status", table, calls=calls, condition=changed("status")),
    )


def moves(kind: str, transitions: Mapping[str, frozenset[str]]) -> str:
    """Return a statement that refuses a status change outside the table."""
    rows = ([f"({_text(old)}, {_text(new)})" for new in transitions if new in transitions[old]] for old in transitions)
    pairs = ",\n".join(_in_lines(row) for row in rows if row)
    return refuse_if(
        f"OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (\n{indent(pairs, '    ')}\n)",
        f"a {kind} that is % cannot become %",
        "OLD.status",
        "NEW.status",
        constraint=f"{kind}_transition",
    )


def explained(kind: str) -> str:
    """Return a statement that refuses a status change without who and why."""
    same = f"({_columns('OLD', EXPLANATION)})\n    = ({_columns('NEW', EXPLANATION)})"
    return refuse_if(
        f"OLD.status <> NEW.status AND {same}",
        "a change of status must say when, who and why",
        constraint=f"{kind}_change_is_explained",
    )


def refuse_if(condition: str, text: str, *values: str, constraint: str, code: str = "check_violation") -> str:
    """Return the statement that raises under a condition."""
    raised = refuse(text, *values, code=code, constraint=constraint)
    return f"IF {dedent(condition).strip()} THEN\n{indent(raised, '    ')}\nEND IF;"


def refuse(text: str, *values: str, code: str = "check_violation", constraint: str = "") -> str:
    """Return a statement that raises; each ``%`` takes one of the values."""
    refused_by = constraint if constraint == "TG_NAME" else _text(constraint)
    named = f", CONSTRAINT = {refused_by}" if constraint else ""
    return f"RAISE EXCEPTION {', '.join((_text(text), *values))}\n    USING ERRCODE = '{code}'{named};"


def changed(*columns: str) -> str:
    """Return the condition that a column changes, to or from NULL too."""
    if len(columns) == 1:
        return f"OLD.{columns[0]} IS DISTINCT FROM NEW.{columns[0]}"
    return f"({_columns('OLD', columns)})\n    IS DISTINCT FROM\n    ({_columns('NEW', columns)})"


def listed(statuses: Iterable[str], *, of: Iterable[str]) -> str:
    """Return statuses as SQL lists them, in the order of their enumeration."""
    chosen = frozenset(statuses)
    return f"({', '.join(_text(status) for status in of if status in chosen)})"


def _text(value: str) -> str:
    doubled = str(value).replace("'", "''")
    return f"'{doubled}'"


def _columns(row: str, names: Iterable[str]) -> str:
    return _in_lines(f"{row}.{name}" for name in names)


def _in_lines(parts: Iterable[str]) -> str:
    return fill(", ".join(part.replace(" ", "\0") for part in parts), 100, subsequent_indent="    ").replace("\0", " ")


def _trigger(
    name: str, when: str, table: str, *, calls: str, scope: str, condition: str = "", kind: str = "TRIGGER"
) -> Guard:
    asked = dedent(condition).strip()
    if "\n" in asked:
        asked = f"\n{indent(asked, ' ' * 8)}\n    "
    lines = (
        f"CREATE {kind} {name}",
        _in_lines(when.split(", ")),
        f"ON {table}",
        f"{scope} WHEN ({asked})" if asked else scope,
        f"EXECUTE FUNCTION {calls}()",
    )
    return Guard(f"TRIGGER {name} ON {table}", "\n    ".join(lines))


def _inside(text: str) -> str:
    return indent(dedent(text).strip(), "    ")
