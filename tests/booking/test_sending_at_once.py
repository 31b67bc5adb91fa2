"""Releases are sent beside each other, so that a slow provider makes none wait for all before it."""

import time
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from pytest_django import Settings

from booking import execution, expiring
from booking.models import Reservation
from common import database
from payments import throttle
from payments.models import Command, ProviderThrottle
from tests.support import promises
from tests.support.aging import end_leases, make_holds_older
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.virtual_clock import Clock

pytestmark = pytest.mark.django_db(transaction=True)

CANCEL = "POST /v1/payment_intents/*/cancel"
LATENCY = 0.4
HOLDS = 9

admit = throttle.acquire


@pytest.fixture
def releases(sandbox: Sandbox) -> Sandbox:
    """Holds that have run out, and whose releases wait."""
    slot = SlotFactory.create(capacity=HOLDS)
    frontend = Frontend.of(slot)
    for _ in range(HOLDS):
        assert frontend.reserve(slot).status_code == 201
    make_holds_older(timedelta(hours=2))
    assert expiring.expire_due() == HOLDS
    return sandbox


def overlapping(sandbox: Sandbox) -> int:
    """Count the releases that came before the one before them can have been answered."""
    came = sorted(call["created"] for call in sandbox.state()["calls"] if call["path"].endswith("/cancel"))
    return sum(later - earlier < LATENCY for earlier, later in pairwise(came))


def begin_minute(clock: Clock) -> None:
    """Have a minute before us in which nothing was called yet."""
    clock.next_minute()
    ProviderThrottle.objects.all().delete()


def slow_to_admit(**asked: Any) -> float:
    """Tell those that are refused at once, and those that are admitted after them."""
    seconds = admit(**asked)
    if not seconds:
        time.sleep(0.3)
    return seconds


class TestReleases:
    @pytest.mark.parametrize(
        ("senders", "least", "most"), [(8, HOLDS - 4, HOLDS), (1, 0, 0)], ids=["at once", "control"]
    )
    def test_are_sent_at_once_after_the_first(
        self, releases: Sandbox, settings: Settings, senders: int, least: int, most: int
    ) -> None:
        settings.COMMAND_SENDERS = senders
        releases.fault(CANCEL, "latency", times=None, ms=int(LATENCY * 1000))
        minute = database.now().replace(second=0, microsecond=0)
        assert execution.execute_due() == HOLDS
        assert least <= overlapping(releases) <= most
        assert {intent["status"] for intent in releases.payment_intents()} == {"canceled"}
        assert set(Command.objects.values_list("status", flat=True)) == {"done"}
        assert set(Reservation.objects.values_list("status", flat=True)) == {"expired"}
        limits = ProviderThrottle.objects.get()
        assert limits.calls >= HOLDS or limits.minute > minute, "a new minute begins to count anew"
        promises.hold(at_provider=True)

    def test_are_not_poured_over_a_provider_that_does_not_answer(self, releases: Sandbox) -> None:
        releases.fault(CANCEL, "error_before", times=None)
        execution.execute_due()
        assert Command.objects.filter(kind="cancel", attempts=1).count() == 3, "after three it is left alone"
        releases.clear_faults()
        end_leases()
        assert execution.execute_due() == HOLDS
        promises.hold(at_provider=True)

    def test_keep_to_the_pace_of_the_account(self, clock: Clock, releases: Sandbox, settings: Settings) -> None:
        settings.PROVIDER_CALLS_PER_MINUTE, settings.COMMAND_SENDERS = 4, 2
        begin_minute(clock)
        assert execution.execute_due() == 4
        assert Command.objects.filter(kind="cancel", attempts=0).count() == HOLDS - 4

    def test_that_look_before_are_two_calls_of_it(
        self, clock: Clock, releases: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.PROVIDER_CALLS_PER_MINUTE, settings.COMMAND_SENDERS = 7, 4
        begin_minute(clock)
        Command.objects.filter(kind="cancel").update(answer_saved=True)
        monkeypatch.setattr(throttle, "acquire", slow_to_admit)
        before = releases.attempts()
        assert execution.execute_due() == 3
        assert releases.attempts() - before == 6, "the seventh is half of what the next one needs"
        assert ProviderThrottle.objects.get().calls == 6, "none was counted that was not made"

    def test_go_on_where_one_needs_more_than_a_minute_has(
        self, clock: Clock, releases: Sandbox, settings: Settings
    ) -> None:
        settings.PROVIDER_CALLS_PER_MINUTE = 1
        begin_minute(clock)
        Command.objects.filter(kind="cancel").update(answer_saved=True)
        assert execution.execute_due() == 1
