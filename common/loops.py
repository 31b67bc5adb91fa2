"""The one loop of sweeps: a failing row stops no other."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, connections, models, transaction

from common import errors, logs

logger = logging.getLogger("holdfast.loops")

T = TypeVar("T")
M = TypeVar("M", bound=models.Model)

PAGE = 500
"""Rows that :func:`pages` reads at a time."""
_PROBLEMS = 20


@dataclass(slots=True)
class Tally:
    """The counts of a loop, with inner loops: ``done``, ``rows`` and failures."""

    done: int = 0
    rows: int = 0
    failed: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    """How often each class of error was met."""
    problems: list[str] = field(default_factory=list)
    """The first failures, by label and in words for those to whom the rows belong."""
    loops: Counter[str] = field(default_factory=Counter)
    """How often each loop was run, by name."""
    ended_by: Exception | None = None
    """Why the loop ended before its last row: one of its ``ends``, the reading, or the database that is away."""
    is_complete: bool = True
    """Whether every row was read and none failed, so that a watermark may move past them."""

    @property
    def summary(self) -> str:
        """Summarize failures by class, without row data; empty: none."""
        if not self.failed:
            return ""
        kinds = ", ".join(f"{kind} ×{number}" for kind, number in self.classes.most_common())
        return f"{self.failed} of {self.rows} failed ({kinds})"

    def add(self, other: "Tally") -> None:
        """Take over what a loop inside, or one after another, has counted."""
        self.rows += other.rows
        self.failed += other.failed
        self.classes += other.classes
        self.problems += other.problems[: _PROBLEMS - len(self.problems)]
        self.loops += other.loops
        self.is_complete = self.is_complete and other.is_complete

    def fail(self, error: Exception, *, row: str) -> None:
        """Count a row that failed."""
        told = f"{row}: {errors.describe(error)}"
        self.add(Tally(rows=1, failed=1, classes=Counter([type(error).__name__]), problems=[told], is_complete=False))

    def end(self, error: Exception) -> None:
        """Note why the rows that are left are not tried."""
        self.ended_by, self.is_complete = error, False

    def reraise(self, *kinds: type[Exception]) -> None:
        """Raise what ended the loop, if it is of these kinds."""
        if self.ended_by is not None and isinstance(self.ended_by, kinds):
            raise self.ended_by


_watching: ContextVar[Tally | None] = ContextVar("watching", default=None)


@contextmanager
def watch() -> Iterator[Tally]:
    """Add up what all loops inside come to, however deep they are."""
    tally, outer = Tally(), _watching.get()
    token = _watching.set(tally)
    try:
        yield tally
    finally:
        _watching.reset(token)
        if outer is not None:
            outer.add(tally)


def each(
    rows: Iterable[T],
    work: Callable[[T], int | None],
    *,
    name: str,
    ends: tuple[type[Exception], ...] = (),
    label: Callable[[T], str] | None = None,
) -> Tally:
    """Do ``work`` to each row, and count what it did (None: one).

    An error of one row stops no other. Outside a transaction the work opens its own; inside one each row has a
    savepoint, whose deferred constraints are checked at its end. ``rows`` may be read while it goes on: what goes wrong
    with the reading ends the loop, and is counted. ``ends`` are errors of work or reading that end it and are no
    failure: the caller finds them in ``ended_by``. ``label`` names a row in the log, by ids only; the default is its
    primary key.
    """
    tally = Tally(loops=Counter([name]))
    reading: Iterator[T] | None = None
    try:
        while tally.ended_by is None:
            try:
                with _count_inside(tally):
                    reading = iter(rows) if reading is None else reading
                    row = next(reading)
            except StopIteration:
                break
            except ends as error:
                tally.end(error)
            except Exception as error:  # noqa: BLE001  # a list that cannot be read on: it is told of, and not raised
                _fail(tally, error, name=name, row="(reading)")
                tally.end(error)
            else:
                _do(tally, row, work, name=name, ends=ends, label=label or _label)
    finally:
        _report(tally)
    return tally


def fail(error: Exception, *, name: str, row: str) -> None:
    """Count an unreadable row of a list; its loop goes on."""
    with watch() as tally:
        _fail(tally, error, name=name, row=row)


def each_at_once(rows: Sequence[T], work: Callable[[T], int | None], *, name: str, threads: int) -> Tally:
    """Do ``work`` to each row in up to ``threads`` threads.

    As :func:`each` does, each thread with its own connection. Must be called outside a transaction.
    """
    if threads <= 1 or len(rows) <= 1:
        return each(rows, work, name=name)
    total, left, reading = Tally(loops=Counter([name])), iter(rows), threading.Lock()

    def take() -> Iterator[T]:
        while True:
            with reading:
                try:
                    row = next(left)
                except StopIteration:
                    return
            yield row

    def run() -> Tally:
        try:
            return each(take(), work, name=name)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(min(threads, len(rows)), thread_name_prefix=name) as pool:
        for running in [pool.submit(run) for _ in range(min(threads, len(rows)))]:
            tally = running.result()
            total.add(replace(tally, loops=tally.loops - Counter([name])))
            total.done += tally.done
            total.ended_by = total.ended_by or tally.ended_by
    _report(total)
    return total


def together(rows: Sequence[T], work: Callable[[Sequence[T]], int | None], *, name: str) -> Tally:
    """Do ``work`` to all rows at once; after failure, to each alone."""
    if rows:
        try:
            with _savepoint():
                done = work(rows)
        except Exception as error:  # noqa: BLE001  # one of the rows is the cause, and is searched for
            logs.failure(logger, "A batch failed; its rows are tried one by one.", error, loop=name, rows=len(rows))
            _is_database_there(error)
        else:
            tally = Tally(done=len(rows) if done is None else done, rows=len(rows), loops=Counter([name]))
            _report(tally)
            return tally
    return each(rows, lambda row: work([row]), name=name)


def batches(
    rows: Iterable[Sequence[T]],
    work: Callable[[Sequence[T]], int | None],
    *,
    name: str,
    ends: tuple[type[Exception], ...] = (),
) -> Tally:
    """Do ``work`` to batch after batch, as :func:`together` does it."""
    return each(rows, lambda batch: together(batch, work, name=name).done, name=f"{name} in batches", ends=ends)


def pages(rows: models.QuerySet[M], *, size: int = PAGE) -> Iterator[Sequence[M]]:
    """Read rows by pages of their primary keys. Needs no transaction."""
    ordered, last = rows.order_by("pk"), None
    while page := list((ordered if last is None else ordered.filter(pk__gt=last))[:size]):
        yield page
        last = page[-1].pk
        if len(page) < size:
            return


def cut(rows: Iterable[T], *, size: int = PAGE) -> Iterator[list[T]]:
    """Cut a stream into lists, one at a time in memory."""
    reading = iter(rows)
    while batch := list(islice(reading, size)):
        yield batch


def flat(pages: Iterable[Sequence[T]]) -> Iterator[T]:
    """Read the rows of pages one by one."""
    for page in pages:
        yield from page


def _report(tally: Tally) -> None:
    if (total := _watching.get()) is not None:
        total.add(tally)


def _do(
    tally: Tally,
    row: T,
    work: Callable[[T], int | None],
    *,
    name: str,
    ends: tuple[type[Exception], ...],
    label: Callable[[T], str],
) -> None:
    with _count_inside(tally) as inside:
        try:
            with _savepoint():
                done = work(row)
        except ends as error:
            tally.end(error)
            tally.rows += not inside.loops
        except Exception as error:  # noqa: BLE001  # one poisoned row must not stop the others
            _fail(tally, error, name=name, row=label(row))
            if not _is_database_there(error):
                tally.end(error)
        else:
            tally.done += 1 if done is None else done
            tally.rows += 0 if inside.loops else max(done or 1, 1)  # a row may be a batch


@contextmanager
def _count_inside(tally: Tally) -> Iterator[Tally]:
    """Count the loops inside a row's work with those of the row, whose number they stand for."""
    inside = Tally()
    token = _watching.set(inside)
    try:
        yield inside
    finally:
        _watching.reset(token)
        tally.add(inside)


@contextmanager
def _savepoint() -> Iterator[None]:
    """Guard an open transaction against a row that fails, also one that shows it only at the end."""
    if not connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _is_database_there(error: Exception) -> bool:
    """Give up a connection that the error has left broken, and say whether another one can be had."""
    if connection.in_atomic_block or not isinstance(error, DatabaseError | InterfaceError):
        return True
    connection.close_if_unusable_or_obsolete()
    if connection.connection is not None:
        return True
    try:
        connection.ensure_connection()
    except (DatabaseError, InterfaceError):
        return False
    return True


def _fail(tally: Tally, error: Exception, *, name: str, row: str) -> None:
    tally.fail(error, row=row)
    logs.failure(logger, "A row failed.", error, loop=name, row=row)


def _label(row: Any) -> str:
    """Name a row by its id; what is neither a row nor an id is named by its kind."""
    key = row.pk if isinstance(row, models.Model) else row
    return str(key) if isinstance(key, UUID | int) else type(row).__name__
