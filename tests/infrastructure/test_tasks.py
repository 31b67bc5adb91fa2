"""What the queue keeps of a task that failed: where to look, and nothing of the row that it was about."""

import ast
import queue
from collections.abc import Callable, Iterator
from importlib import import_module
from multiprocessing import Value
from pydoc import locate
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django_q.brokers import get_broker
from django_q.models import Failure, OrmQ
from django_q.monitor import save_task
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from django_q.worker import worker

from adminkit import bulk
from common import rotation
from payments import commands
from sweeps import registry, scheduling
from tests.support.desk import list_of, page_of, sign_in
from tests.support.source import Module, breaches

GUEST = "ana@example.com"


def refused(*_: Any, **__: Any) -> Any:
    """Have PostgreSQL refuse a row's value, which it says."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::integer", [GUEST])


def raised(*_: Any, **__: Any) -> Any:
    """Raise what says whose row it is, with something behind it that says so too."""
    try:
        refused()
    except Exception as error:
        raise ValueError(f"something of {GUEST}") from error


def work_off() -> None:
    """Do what waits as a worker does, and keep what came of it as the cluster does."""
    broker = get_broker()
    for waiting in OrmQ.objects.order_by("id"):
        tasks, results = queue.Queue[Any](), queue.Queue[Any]()
        tasks.put(SignedPackage.loads(waiting.payload))
        tasks.put("STOP")
        worker(tasks, results, Value("f", -1))
        save_task(results.get_nowait(), broker)
        waiting.delete()


CALLS: dict[str, tuple[tuple[object, str], tuple[str, ...]]] = {
    settings.COMMAND_CARRIER: ((commands, "claim"), ()),
    bulk._CARRIER: ((bulk, "claim"), ()),
    scheduling._FUNCTION: ((rotation, "refresh"), ("settle",)),
}
GIVEN = {settings.COMMAND_CARRIER: {"command_id": 1}, bulk._CARRIER: {"run_id": 1}}


@pytest.mark.django_db(transaction=True)
class TestFailure:
    @pytest.mark.parametrize("name", CALLS)
    @pytest.mark.parametrize(
        ("fault", "told"),
        [(refused, "DataError: invalid input syntax for type integer: … (SQLSTATE 22P02)"), (raised, "ValueError")],
        ids=["the database", "Python"],
    )
    def test_shows_nothing_of_a_row(
        self,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        name: str,
        fault: Callable[..., Any],
        told: str,
    ) -> None:
        where, args = CALLS[name]
        monkeypatch.setattr(*where, fault)
        async_task(name, *args, **GIVEN.get(name, {}))
        work_off()
        kept = Failure.objects.get()
        assert str(kept.result).startswith(told)
        desk = sign_in(operator=None)
        shown = desk.get(list_of(Failure)).content.decode() + desk.get(page_of(kept)).content.decode()
        assert name in shown
        assert GUEST not in shown + str(kept.result) + caplog.text

    def test_of_a_sweep_that_ends_early_shows_none_either(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(registry.SWEEPS, "settle", registry.Sweep(name="settle", run=raised, minutes=1))
        async_task(scheduling._FUNCTION, "settle")
        work_off()
        kept = str(Failure.objects.get().result)
        assert kept.startswith("settle: ValueError: it ended early; the log says where. : Traceback")
        assert GUEST not in kept


def unguarded(module: Module) -> Iterator[str]:
    """Find a call that queues a function by name which is not made for the queue."""
    for node in module.walk():
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "async_task":
            name = eval(ast.unparse(node.args[0]), vars(import_module(module.name[:-3].replace("/", "."))))  # noqa: S307
            if not hasattr(locate(name), "__wrapped__"):
                yield f"{module.at(node)} {name}"


class TestQueued:
    def test_every_function_that_is_queued_is_made_for_it(self) -> None:
        assert "\n".join(breaches(unguarded)) == ""
