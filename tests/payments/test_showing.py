"""How times are shown to people: an hour that comes twice is told apart."""

from datetime import UTC, datetime

import pytest

from payments import showing

NIGHT = datetime(2027, 10, 31, tzinfo=UTC)


class TestWhen:
    @pytest.mark.parametrize(
        ("hour", "zone", "shown"),
        [
            (0, "Europe/Madrid", "2027-10-31 02:00 CEST"),
            (1, "Europe/Madrid", "2027-10-31 02:00 CET"),
            (2, "Europe/Madrid", "2027-10-31 03:00"),
            (1, "Europe/Lisbon", "2027-10-31 01:00 WET"),
            (1, "UTC", "2027-10-31 01:00"),
        ],
    )
    def test_names_the_hour_that_comes_twice(self, hour: int, zone: str, shown: str) -> None:
        assert showing.when(NIGHT.replace(hour=hour), zone) == shown

    def test_a_dash_for_no_time(self) -> None:
        assert showing.when(None, "Europe/Madrid") == "—"
