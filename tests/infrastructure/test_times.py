"""Times as they come from the database: aware, in UTC, to the microsecond."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from hypothesis import given
from hypothesis import strategies as st

from common.postgresql.base import TimeLoader

pytestmark = pytest.mark.django_db


def read(text: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        (at,) = cursor.fetchone()
    return at


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # Hypothesis adds the zone
def test_every_time_is_read_as_django_reads_it(at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz::text", [at])
        (text,) = cursor.fetchone()
        assert TimeLoader(0, cursor.connection).load(text.encode()) == at
        assert BaseTzLoader(0, cursor.connection).load(text.encode()).replace(tzinfo=UTC) == at


def test_a_time_is_in_utc() -> None:
    at = read("2026-11-22 08:02:38.1234+05:30")
    assert (at, at.tzinfo) == (datetime(2026, 11, 22, 2, 32, 38, 123400, tzinfo=UTC), UTC)
    assert at.astimezone(timezone(timedelta(hours=-3))).hour == 23


def test_the_loader_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TimeLoader, "load", lambda self, data: bytes(data))
    assert read("2026-11-22 02:32:38+00") == b"2026-11-22 02:32:38+00"
