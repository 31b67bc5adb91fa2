"""The one loop: a row that fails stops no other, is counted by its class, and leaves the connection usable."""

import logging
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from catalogue.models import Activity
from common import errors, ids, loops
from common.errors import BusyError, NotFoundError
from tenants.models import Operator
from tests.support.factories import OperatorFactory

LOOP = "tests"


class ReadError(Exception):
    """The list cannot be read on."""


def nothing(row: object) -> None:
    """Do nothing."""


def read(*rows: object) -> Iterator[object]:
    """Read a list whose end cannot be read."""
    yield from rows
    raise ReadError("page 3 of Ana's list")


class TestEach:
    def test_counts_what_the_work_says_it_did_where_a_row_may_be_a_batch(self) -> None:
        tally = loops.each([1, 0, 5], lambda row: row, name=LOOP)
        assert (tally.done, tally.rows, tally.failed, tally.is_complete, tally.summary) == (6, 7, 0, True, "")
        assert loops.each([1, 0, 5], nothing, name=LOOP).done == 3

    def test_a_row_that_fails_stops_no_other(self) -> None:
        seen = []

        def work(row: int) -> None:
            if row == 2:
                raise BusyError
            if row in (3, 4):
                raise ValueError(f"row {row} of Ana Souza")
            seen.append(row)

        tally = loops.each(range(1, 6), work, name=LOOP)
        assert seen == [1, 5]
        assert tally.summary == "3 of 5 failed (ValueError ×2, BusyError ×1)"
        assert not tally.is_complete
        assert tally.ended_by is None

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    def test_who_ends_the_process_is_not_held_up(self, error: type[BaseException]) -> None:
        def work(row: int) -> None:
            raise error

        with pytest.raises(error), loops.watch() as seen:
            loops.each([1], work, name=LOOP)
        assert seen.loops == {LOOP: 1}

    def test_a_list_that_cannot_be_read_to_its_end_is_no_complete_one(self) -> None:
        done: list[object] = []
        tally = loops.each(read(1, 2), done.append, name=LOOP)
        assert done == [1, 2]
        assert isinstance(tally.ended_by, ReadError)
        assert (tally.is_complete, tally.summary) == (False, "1 of 3 failed (ReadError ×1)")

    def test_what_ends_it_is_no_failure_and_not_complete(self) -> None:
        tally = loops.each(read(1), nothing, name=LOOP, ends=(ReadError,))
        assert (type(tally.ended_by), tally.rows, tally.failed, tally.is_complete) == (ReadError, 1, 0, False)

        def work(row: int) -> None:
            raise ReadError

        tally = loops.each([1, 2, 3], work, name=LOOP, ends=(ReadError,))
        assert (type(tally.ended_by), tally.rows, tally.failed) == (ReadError, 1, 0)

    def test_all_loops_inside_are_added_up_and_rows_counted_once(self) -> None:
        def fail(row: int) -> None:
            if row == 2:
                raise ValueError

        with loops.watch() as seen:
            outer = loops.each([(1, 2), (3,)], lambda rows: loops.each(rows, fail, name="in").done, name="out")
        assert seen.loops == outer.loops == {"out": 1, "in": 2}
        assert seen.summary == outer.summary == "1 of 3 failed (ValueError ×1)"
        assert (outer.done, outer.is_complete, seen.is_complete) == (2, False, False)
        assert outer.problems == ["2: ValueError"]

    def test_a_row_is_logged_by_its_id_and_nothing_of_it(self, caplog: pytest.LogCaptureFixture) -> None:
        def work(row: str) -> None:
            raise ValueError(f"{row} is wrong")

        caplog.set_level(logging.DEBUG)
        loops.each(["ana@example.com"], work, name=LOOP)
        (record,) = caplog.records
        told = str(vars(record) | {"args": ()})
        assert (record.__dict__["row"], record.__dict__["error"]) == ("str", "ValueError")
        assert "test_loops.py" in record.__dict__["trace"]
        assert "ana@example.com" not in told + caplog.text


@pytest.mark.django_db
class TestInATransaction:
    def test_each_row_has_a_savepoint(self) -> None:
        known = OperatorFactory.create()

        def work(slug: str) -> None:
            OperatorFactory.create(slug=slug)

        tally = loops.each(["a", known.slug, "b"], work, name=LOOP)
        assert tally.summary == "1 of 3 failed (IntegrityError ×1)"
        assert set(Operator.objects.values_list("slug", flat=True)) == {"a", "b", known.slug}

    def test_what_shows_only_at_the_end_of_the_transaction_is_its_rows_too(self) -> None:
        def work(operator_id: UUID) -> None:  # a foreign key is deferred
            Activity.objects.create(operator_id=operator_id, name="Kayak", timezone="UTC", currency="USD")

        known = OperatorFactory.create()
        with transaction.atomic():
            tally = loops.each([ids.new_id(), known.pk], work, name=LOOP)
        assert tally.summary == "1 of 2 failed (IntegrityError ×1)"

    def test_pages_reads_each_row_once_whatever_the_work_does_to_it(self) -> None:
        made = {OperatorFactory.create().pk for _ in range(5)}
        read = [row.pk for row in loops.flat(loops.pages(Operator.objects.filter(pk__in=made), size=2))]
        assert (len(read), set(read)) == (5, made)


@pytest.mark.django_db(transaction=True)
class TestOutsideOfOne:
    def test_a_connection_that_broke_is_had_again_for_the_next(self) -> None:
        def work(row: int) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())" if row == 1 else "SELECT 1")

        tally = loops.each([1, 2, 3], work, name=LOOP)
        assert (tally.done, tally.failed, tally.ended_by) == (2, 1, None)

    def test_nobody_waits_in_turn_for_a_database_that_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tried = []

        def away() -> None:
            raise OperationalError("the server is not there")

        def work(row: int) -> None:
            tried.append(row)
            connection.close()
            away()

        with monkeypatch.context() as without:
            without.setattr(connection, "ensure_connection", away)
            tally = loops.each([1, 2, 3], work, name=LOOP)
        assert tried == [1]
        assert isinstance(tally.ended_by, OperationalError)

    def test_a_batch_that_fails_is_done_row_by_row(self) -> None:
        known = OperatorFactory.create()

        def work(slugs: object) -> int:
            assert isinstance(slugs, list)
            with transaction.atomic():
                return len([OperatorFactory.create(slug=slug) for slug in slugs])

        assert loops.together(["a", "b"], work, name=LOOP).done == 2
        tally = loops.together(["c", known.slug, "d"], work, name=LOOP)
        assert (tally.done, tally.summary) == (2, "1 of 3 failed (IntegrityError ×1)")


@pytest.mark.django_db
class TestDescribe:
    def test_a_row_that_the_database_refused_is_not_told(self) -> None:
        known = OperatorFactory.create()
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            OperatorFactory.create(slug=known.slug)
        told = errors.describe(refused.value)
        assert told == (
            "IntegrityError: duplicate key value violates unique constraint …"
            " (tenants_operator_slug_key, SQLSTATE 23505)"
        )
        assert known.slug not in errors.trace(refused.value)

    @pytest.mark.parametrize(
        ("statement", "told"),
        [
            ("SELECT 1/0", "DataError: division by zero (SQLSTATE 22012)"),
            (
                "SELECT 'it''s \"Ana\" Souza'::int",
                "DataError: invalid input syntax for type integer: … (SQLSTATE 22P02)",
            ),
            ("DO $$BEGIN RAISE EXCEPTION 'of Ana Souza'; END$$", "ProgrammingError (SQLSTATE P0001)"),
        ],
    )
    def test_what_the_database_quotes_or_raises_is_not_told(self, statement: str, told: str) -> None:
        with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert errors.describe(refused.value) == told

    def test_words_that_are_ours_are_told_and_others_are_not(self) -> None:
        assert errors.describe(NotFoundError(kind="slot")) == "NotFoundError: There is no such slot."
        assert errors.describe(ValueError("invalid literal for int() with base 10: 'Ana'")) == "ValueError"
