"""How long is waited before something is tried again: longer each time, never for ever, and never all at one moment."""

from datetime import timedelta

import pytest

from common import retries

FIRST, LONGEST = timedelta(seconds=30), timedelta(hours=1)


def delays(failures: int, *, asked: float | None = None) -> list[float]:
    """Ask often enough to see how it is spread."""
    drawn = (retries.delay(failures, first=FIRST, longest=LONGEST, asked=asked) for _ in range(200))
    return sorted(delay.total_seconds() for delay in drawn)


class TestDelay:
    @pytest.mark.parametrize(
        ("failures", "longest"), [(0, 30), (1, 30), (2, 60), (7, 1920), (8, 3600), (60, 3600), (10**9, 3600)]
    )
    def test_doubles_up_to_its_bound(self, failures: int, longest: int) -> None:
        drawn = delays(failures)
        assert longest / 2 <= drawn[0] < longest * 0.6
        assert longest * 0.9 < drawn[-1] <= longest

    def test_is_what_was_asked_for_at_least(self) -> None:
        drawn = delays(9, asked=10.0)
        assert 10 <= drawn[0] < 11
        assert 19 < drawn[-1] <= 20

    def test_can_be_spread_less(self) -> None:
        drawn = sorted(retries.spread(LONGEST, least=0.75) for _ in range(200))
        assert LONGEST * 0.75 <= drawn[0] < LONGEST * 0.8
        assert LONGEST * 0.95 < drawn[-1] <= LONGEST


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("", None), ("soon", None), ("-1", None), ("1.5", None), ("²", None), ("٣", None),
        ("Fri, 27 Nov 2026 08:00:00 GMT", None), ("0", 0.0), ("7", 7.0), ("86401", 86400.0), ("9" * 400, 86400.0),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_of_seconds_and_a_day_at_most(header: str | None, seconds: float | None) -> None:
    assert retries.read_retry_after(header) == seconds
