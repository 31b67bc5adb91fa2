"""Days, weeks, months and years, written and read, to the ends of what can be written."""

from datetime import UTC, date, datetime

import pytest

from adminkit import date_spans


class TestRead:
    @pytest.mark.parametrize(
        ("text", "first", "last"),
        [
            ("2026", date(2026, 1, 1), date(2026, 12, 31)),
            ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
            ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
            ("2026-W01", date(2025, 12, 29), date(2026, 1, 4)),
            ("2026-07-14", date(2026, 7, 14), date(2026, 7, 14)),
            ("0001", date(1, 1, 1), date(1, 12, 31)),
            ("9999-12-31", date.max, date.max),
        ],
    )
    def test_reads_what_it_writes(self, text: str, first: date, last: date) -> None:
        span = date_spans.read(text)
        assert (span.first, span.last, span.written) == (first, last, text)

    @pytest.mark.parametrize(
        "text",
        [
            "", "x", "0", "0000", "99999", "2026-00", "2026-13", "2026-1", "2026-02-30", "2026-01-00", "2026-W00",
            "2026-W54", "2026-W1", "-1", "2026-01-01-01", "２０２６", "2026\n", "9999-W53", "9" * 10_000,
        ],
    )  # fmt: skip
    def test_refuses_what_is_none(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            date_spans.read(text)


class TestSteps:
    @pytest.mark.parametrize("text", ["2026", "2026-07", "2026-W29", "2026-07-14", "2024-02-29", "2026-12-31"])
    def test_the_one_after_the_one_before_is_itself(self, text: str) -> None:
        span = date_spans.read(text)
        before, after = span.before(), span.after()
        assert before is not None
        assert after is not None
        assert before.after() == after.before() == span
        assert before.last < span.first <= span.last < after.first

    def test_there_is_none_beyond_the_ends(self) -> None:
        for text in ("0001", "0001-01", "0001-W01", "0001-01-01"):
            assert date_spans.read(text).before() is None
        for text in ("9999", "9999-12", "9999-12-31"):
            assert date_spans.read(text).after() is None

    def test_parts_are_parts(self) -> None:
        for text in ("2026", "2026-02", "2026-W29", "2026-07-14", "0001-01-01", "9999-12-31"):
            span = date_spans.read(text)
            assert all(part.first <= span.first and span.last <= part.last for part in span.above())
            assert all(span.first <= part.first and part.last <= span.last for part in span.inside())


class TestBounds:
    def test_are_by_the_clock_of_the_place(self) -> None:
        start, end = date_spans.read("2027-03-28").bounds("Europe/Madrid")  # of 23 hours
        assert (start, end) == (datetime(2027, 3, 27, 23, tzinfo=UTC), datetime(2027, 3, 28, 22, tzinfo=UTC))

    @pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Sao_Paulo", "UTC"])
    def test_are_none_where_no_time_can_be_written(self, zone: str) -> None:
        assert None in (date_spans.read("0001").bounds("Asia/Tokyo")[0], date_spans.read("9999").bounds(zone)[1])
