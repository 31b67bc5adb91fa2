"""Every sweep, by introspection: a row that is locked, poisoned or refused stops no other, and the sweep ends."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from common import database, loops
from reconciliation.models import Watermark
from sweeps import registry
from sweeps.models import SweepRun
from tests.support.sandbox_client import Sandbox
from tests.support.virtual_clock import Clock
from tests.sweeps.cases import CASES

pytestmark = pytest.mark.django_db(transaction=True)

GUEST = "ana@example.com"


@contextmanager
def locked(table: str, column: str, value: str) -> Iterator[None]:
    """Have another connection hold a row locked."""
    ready, end = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SELECT 1 FROM {table} WHERE {column}::text = %s FOR UPDATE", [value])  # noqa: S608
                ready.set()
                end.wait(60)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert ready.wait(30)
        yield
    finally:
        end.set()
        thread.join()


@contextmanager
def refused(when: str, table: str, column: str, value: object) -> Iterator[None]:
    """Have the database refuse what is done to a row, with words that show whose row it is."""
    row = "OLD" if when == "DELETE" else "NEW"
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE FUNCTION tests_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF {row}.{column}::text = '{value}' THEN
                    RAISE EXCEPTION 'refused for {GUEST}' USING ERRCODE = 'check_violation', DETAIL = 'of {GUEST}';
                END IF;
                RETURN {row};
            END $$;
            CREATE TRIGGER aaa_tests_refuse BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION tests_refuse();
            """)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER aaa_tests_refuse ON {table}; DROP FUNCTION tests_refuse()")


def mentions(given: Any, row: str) -> bool:
    """Say whether something that a function is given is of a row."""
    names = ("pk", "payment_id", "event_id", "object_ref", "number", "account")
    return row in {str(given), *(str(getattr(given, name, "")) for name in names)} or (
        isinstance(given, Sequence) and not isinstance(given, str) and any(mentions(each, row) for each in given)
    )


def poison(monkeypatch: pytest.MonkeyPatch, where: tuple[object, str], row: str) -> None:
    """Have a function of the work raise when it is given a row."""
    target, name = where
    sound: Callable[..., Any] = getattr(target, name)

    def work(*args: Any, **kwargs: Any) -> Any:
        if any(mentions(given, row) for given in (*args, *kwargs.values())):
            raise ValueError(f"something of {GUEST}")
        return sound(*args, **kwargs)

    monkeypatch.setattr(target, name, work)


def run_with_short_waits(name: str) -> None:
    """Run a sweep whose waits for a lock are short."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '300ms'")
    try:
        registry.run(name)
    finally:
        connection.close()


def test_every_sweep_has_a_case() -> None:
    assert set(CASES) == set(registry.SWEEPS)


@pytest.mark.parametrize("name", sorted(registry.SWEEPS))
class TestEverySweep:
    def test_does_all_rows_but_those_that_cannot_be_done(
        self,
        sandbox: Sandbox,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        name: str,
    ) -> None:
        case = CASES[name]
        with ExitStack() as faults:
            faults.enter_context(case.beside(monkeypatch))
            first, held, poisoned, wrong, last = (str(row) for row in case.prepare(sandbox, clock))
            poison(monkeypatch, case.work, poisoned)
            if case.refuse is not None:
                faults.enter_context(refused(*case.refuse, wrong))
            if case.lock is not None:
                faults.enter_context(locked(*case.lock, held))
            with loops.watch() as seen:
                run_with_short_waits(name)
            done = case.done()
        assert seen.loops  # it goes by the one loop
        run = SweepRun.objects.get(name=name)
        assert run.finished_at is not None
        assert {first, last} <= done, run.error
        reads_only = case.lock is None and case.refuse is None
        assert done & {held, poisoned, wrong} == ({held, wrong} if reads_only else set())
        assert re.fullmatch(r"\d+ of \d+ failed \((\w+ ×\d+(, )?)+\)", run.error), run.error
        told = caplog.text + json.dumps([vars(record) for record in caplog.records], default=str)
        assert GUEST not in run.error + told


@pytest.mark.parametrize(("name", "mark"), [("recover_events", "events"), ("release_holds", "holds")])
def test_a_mark_stays_before_what_failed_and_passes_what_is_stored(
    sandbox: Sandbox, clock: Clock, name: str, mark: str
) -> None:
    began = database.now()
    case = CASES[name]
    rows = {str(row) for row in case.prepare(sandbox, clock)}
    clock.advance(timedelta(minutes=1))  # a provider's times are whole seconds: none may be that of the reading
    wrong = sorted(rows)[0]
    assert case.refuse is not None
    with refused(*case.refuse, wrong):
        registry.run(name)
    assert case.done() == rows - {wrong}
    assert Watermark.objects.get(name=mark).read_until < began
    registry.run(name)
    assert case.done() == rows
    assert Watermark.objects.get(name=mark).read_until > began
