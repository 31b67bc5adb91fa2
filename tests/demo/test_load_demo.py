"""The demo's data: complete, and the same however often it is loaded."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.db.models import Count
from pytest_django import Settings

from booking.models import History, Reservation
from booking.states import RESERVATION_TRANSITIONS
from catalogue.models import Activity, Rate, Slot
from payments.models import PaymentHistory
from payments.states import PAYMENT_TRANSITIONS
from tenants import api_keys
from tenants.models import ApiClient, Member, Operator, User
from tests.support import promises, providers
from tools.demo import data, past

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 10, 10, 12, tzinfo=UTC)


class TestLoad:
    def test_twice_changes_nothing(self, tmp_path: Path) -> None:
        first = data.load(now=NOW, login_file=tmp_path / "login.json")
        models = (Operator, Activity, Rate, Slot, ApiClient, User, Member)
        counted = [model.objects.count() for model in models]
        assert data.load(now=NOW, login_file=tmp_path / "login.json") == first
        assert [model.objects.count() for model in models] == counted
        assert (tmp_path / "login.json").stat().st_mode & 0o777 == 0o600

    def test_the_login_works(self, tmp_path: Path) -> None:
        login = data.load(now=NOW, login_file=tmp_path / "login.json")
        client = api_keys.find_client(login["api_key"])
        assert client is not None
        assert client.operator.slug == "mare-alta"
        assert User.objects.get(username=login["admin_user"]).check_password(login["admin_password"])

    def test_a_new_database_gets_new_keys(self, tmp_path: Path) -> None:
        first = data.load(now=NOW, login_file=tmp_path / "login.json")
        ApiClient.objects.all().delete()
        second = data.load(now=NOW, login_file=tmp_path / "login.json")
        assert second["api_key"] != first["api_key"]
        assert api_keys.find_client(second["api_key"]) is not None

    def test_departures_keep_their_local_time_when_the_clocks_change(self, tmp_path: Path) -> None:
        data.load(now=NOW, login_file=tmp_path / "login.json")
        lisbon = ZoneInfo("Europe/Lisbon")
        slots = Slot.objects.filter(activity__name="Dolphin watching")
        assert {slot.starts_at.astimezone(lisbon).hour for slot in slots} == {8}
        assert {slot.starts_at.astimezone(UTC).hour for slot in slots} == {7, 8}

    def test_departures_are_topped_up(self, tmp_path: Path) -> None:
        data.load(now=NOW, login_file=tmp_path / "login.json")
        before = Slot.objects.count()
        data.load(now=NOW + timedelta(days=1), login_file=tmp_path / "login.json")
        assert Slot.objects.count() == before + 3 + 2 + 1 + 2

    def test_is_refused_where_money_is_real(self, settings: Settings) -> None:
        providers.configure(settings, is_live=True)
        with pytest.raises(CommandError, match="a live one"):
            call_command("load_demo")
        assert Operator.objects.count() == 0


class TestPast:
    def load(self, number: int) -> int:
        return past.load(reservations=number, now=NOW, progress=lambda done: None)

    def test_keeps_every_promise(self, tmp_path: Path) -> None:
        data.load(now=NOW, login_file=tmp_path / "login.json")
        assert self.load(1_000) == 1_000
        promises.hold()
        assert Counter(Reservation.objects.values_list("status", flat=True)) == {
            "paid": 800, "cancelled": 70, "expired": 70, "refunded": 30, "failed": 30,
        }  # fmt: skip
        histories = History.objects.values("reservation").annotate(number=Count("id"))
        assert {row["number"] for row in histories} == {2, 3, 4, 5}
        assert Slot.objects.filter(reserved__gt=0).count() == 1_000 / past.PER_SLOT

    def test_what_it_writes_is_as_if_it_had_happened(self, tmp_path: Path) -> None:
        """The triggers would have let every step of it pass."""
        data.load(now=NOW, login_file=tmp_path / "login.json")
        self.load(200)
        for table, table_of in ((History, RESERVATION_TRANSITIONS), (PaymentHistory, PAYMENT_TRANSITIONS)):
            steps = set(table._default_manager.exclude(from_status="").values_list("from_status", "to_status"))
            assert all(after in table_of[before] for before, after in steps), steps

    def test_twice_changes_nothing_and_another_length_is_refused(self, tmp_path: Path) -> None:
        data.load(now=NOW, login_file=tmp_path / "login.json")
        assert self.load(100) == 100
        assert self.load(100) == 0
        with pytest.raises(past.CannotLoadError, match="A past of 100"):
            self.load(200)

    def test_the_triggers_are_there_again(self, tmp_path: Path) -> None:
        data.load(now=NOW, login_file=tmp_path / "login.json")
        self.load(100)
        with pytest.raises(IntegrityError):
            Reservation.objects.filter(status="paid").update(status="pending")
