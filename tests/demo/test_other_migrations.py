"""A database that other migrations have made: told of in a sentence, and put aside without losing it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tools.demo import other_migrations, places
from tools.demo.other_migrations import OtherMigrationsError
from tools.demo.supervisor import StartError

pytestmark = pytest.mark.django_db(transaction=True)


class TestRefuse:
    def test_says_which_migration_is_of_other_code(self) -> None:
        other_migrations.refuse()
        recorder = MigrationRecorder(connection)
        recorder.record_applied("booking", "0002_of_yesterday")
        try:
            with pytest.raises(OtherMigrationsError, match=r"than this code has \(booking.0002_of_yes"):
                other_migrations.refuse()
        finally:
            recorder.record_unapplied("booking", "0002_of_yesterday")

    @pytest.mark.parametrize("sign", ["InconsistentMigrationHistory: x", "psycopg.errors.UndefinedColumn: x"])
    def test_explains_what_the_preparation_ends_with(self, sign: str) -> None:
        with pytest.raises(OtherMigrationsError), other_migrations.explained():
            raise StartError(f"manage.py migrate failed:\n{sign}")

    def test_explains_nothing_else(self) -> None:
        with pytest.raises(StartError, match="disk is full"), other_migrations.explained():
            raise StartError("The disk is full.")


class TestPutAside:
    def test_keeps_everything(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(places, "POSTGRES", tmp_path / "postgres")
        now = datetime(2026, 11, 25, 15, tzinfo=UTC)
        assert other_migrations.put_aside(now=now) is None
        (tmp_path / "postgres").mkdir()
        (tmp_path / "postgres/PG_VERSION").write_text("18")
        aside = other_migrations.put_aside(now=now)
        assert aside == tmp_path / "postgres-until-20261125T150000"
        assert (aside / "PG_VERSION").read_text() == "18"
        assert not (tmp_path / "postgres").exists()
