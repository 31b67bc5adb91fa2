"""How times are shown to people: an hour that comes twice is told apart."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from tenants import clocks

NIGHT = datetime(2027, 10, 31, tzinfo=UTC)


class TestWhen:
    @pytest.mark.parametrize(
        ("hour", "zone", "shown"),
        [
            (0, "Europe/Madrid", "Sun 2027-10-31 02:00 CEST (Europe/Madrid)"),
            (1, "Europe/Madrid", "Sun 2027-10-31 02:00 CET (Europe/Madrid)"),
            (2, "Europe/Madrid", "Sun 2027-10-31 03:00 (Europe/Madrid)"),
            (1, "Europe/Lisbon", "Sun 2027-10-31 01:00 WET (Europe/Lisbon)"),
            (1, "UTC", "Sun 2027-10-31 01:00"),
        ],
    )
    def test_names_the_hour_that_comes_twice(self, hour: int, zone: str, shown: str) -> None:
        assert clocks.when(NIGHT.replace(hour=hour), zone) == shown

    def test_does_not_name_the_clock_that_the_page_goes_by(self) -> None:
        with timezone.override("Europe/Madrid"):
            assert clocks.when(NIGHT, "Europe/Madrid") == clocks.when(NIGHT) == "Sun 2027-10-31 02:00 CEST"
            assert clocks.hour(NIGHT, "UTC") == "00:00 (UTC)"

    @pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Sao_Paulo"])
    def test_reaches_to_the_ends_of_what_can_be_written(self, zone: str) -> None:
        first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)
        assert clocks.when(first, zone).startswith("Mon 0001-01-01 0")
        assert clocks.when(last, zone).startswith("Fri 9999-12-31 2")

    def test_a_dash_for_no_time(self) -> None:
        assert clocks.when(None, "Europe/Madrid") == "—"
