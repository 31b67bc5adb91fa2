"""The local day of a place, whatever its clocks do."""

from datetime import UTC, date, datetime, timedelta

import pytest

from catalogue import days
from common.errors import ValidationError


class TestTimes:
    @pytest.mark.parametrize(
        ("day", "zone", "start", "hours"),
        [
            ("2027-01-05", "Europe/Lisbon", "2027-01-05 00:00", 24),
            ("2027-03-28", "Europe/Lisbon", "2027-03-28 00:00", 23),
            ("2027-10-31", "Europe/Lisbon", "2027-10-30 23:00", 25),
            ("2027-10-31", "Atlantic/Azores", "2027-10-31 00:00", 25),  # midnight comes twice
            ("2027-10-30", "Atlantic/Azores", "2027-10-30 00:00", 24),
            ("2027-04-30", "Africa/Cairo", "2027-04-29 22:00", 23),  # there is no midnight
            ("2027-04-29", "Africa/Cairo", "2027-04-28 22:00", 24),
            ("2027-10-03", "Australia/Lord_Howe", "2027-10-02 13:30", 23.5),
        ],
    )
    def test_are_from_its_first_moment_to_that_of_the_next(self, day: str, zone: str, start: str, hours: float) -> None:
        first, end = days.times_of(day=date.fromisoformat(day), zone=zone)
        assert first == datetime.fromisoformat(start).replace(tzinfo=UTC)
        assert end - first == timedelta(hours=hours)
        assert days.today(zone=zone, now=first) == days.today(zone=zone, now=end - timedelta(microseconds=1))

    @pytest.mark.parametrize(
        ("day", "zone"),
        [("9999-12-31", "UTC"), ("0001-01-01", "Asia/Tokyo"), ("2011-12-30", "Pacific/Apia")],
    )
    def test_of_no_day_are_refused(self, day: str, zone: str) -> None:
        with pytest.raises(ValidationError):
            days.times_of(day=date.fromisoformat(day), zone=zone)
