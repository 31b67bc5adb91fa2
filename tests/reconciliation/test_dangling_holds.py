"""Holds at the provider that are held for nobody: released if they are ours, else reported and never touched."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from pytest_django import Settings

from payments.models import Payment
from reconciliation import dangling_holds
from reconciliation.models import Discrepancy
from sweeps import registry
from tests.reconciliation.losing import lose_the_release
from tests.support import promises
from tests.support.api import Frontend
from tests.support.environment import VALUES
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.virtual_clock import Clock

pytestmark = pytest.mark.django_db(transaction=True)


def hold_there(sandbox: Sandbox, **metadata: str) -> str:
    """Make a hold at the provider that no row here knows."""
    body: dict[str, Any] = {
        "amount": 4500, "currency": "usd", "capture_method": "manual", "confirm": "true",
        "payment_method": "pm_card_visa", "payment_method_types[]": "card",
        **{f"metadata[{name}]": value for name, value in metadata.items()},
    }  # fmt: skip
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{sandbox.url}/v1/payment_intents", data=body, auth=(VALUES["STRIPE_API_KEY"], ""), timeout=30
        )
    assert answer.json()["status"] == "requires_capture", answer.text
    return str(answer.json()["id"])


@pytest.fixture
def later(clock: Clock) -> Clock:
    """A clock; what is newer than five minutes is left for the next run."""
    return clock


def status_of(sandbox: Sandbox, ref: str) -> str:
    """Return how an intent stands at the provider."""
    (found,) = [intent["status"] for intent in sandbox.payment_intents() if intent["id"] == ref]
    return str(found)


class TestRelease:
    def test_what_is_held_for_nobody_is_released(self, sandbox: Sandbox, later: Clock) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        lose_the_release(sandbox)
        later.advance(timedelta(minutes=10))
        assert len(dangling_holds.release_unread().released) == 1
        registry.run("send_commands")
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        promises.hold(at_provider=True)

    def test_what_is_wanted_is_kept(self, sandbox: Sandbox, later: Clock) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        later.advance(timedelta(minutes=10))
        tally = dangling_holds.release_unread()
        assert (tally.released, tally.reported) == ([], [])
        assert status_of(sandbox, Payment.objects.get().provider_ref) == "requires_capture"

    def test_the_newest_are_left_for_the_next_run(self, sandbox: Sandbox, clock: Clock) -> None:
        hold_there(sandbox)
        assert dangling_holds.release_unread().reported == []
        clock.advance(timedelta(minutes=10))
        assert len(dangling_holds.release_unread().reported) == 1

    @pytest.mark.parametrize(
        "metadata",
        [
            {},
            {"holdfast_payment": "01a1fe41-cd0f-7346-aab0-919d683b69c4"},
            {"holdfast_payment": "01a1fe41-cd0f-7346-aab0-919d683b69c4", "holdfast_installation": "staging"},
        ],
    )
    def test_what_is_not_ours_is_reported_once_and_never_touched(
        self, sandbox: Sandbox, later: Clock, settings: Settings, metadata: dict[str, str]
    ) -> None:
        settings.INSTALLATION = "production"
        ref = hold_there(sandbox, **metadata)
        later.advance(timedelta(minutes=10))
        assert dangling_holds.release_unread().reported == [ref]
        assert dangling_holds.release_unread().reported == []
        assert status_of(sandbox, ref) == "requires_capture"
        found = Discrepancy.objects.get()
        assert (found.kind, found.subject, found.operator) == ("foreign_hold", ref, None)

    def test_one_of_this_installation_without_a_row_is_released(
        self, sandbox: Sandbox, later: Clock, settings: Settings
    ) -> None:
        settings.INSTALLATION = "production"
        ref = hold_there(
            sandbox, holdfast_payment="01a1fe41-cd0f-7346-aab0-919d683b69c4", holdfast_installation="production"
        )
        later.advance(timedelta(minutes=10))
        assert dangling_holds.release_unread().released == [ref]
        assert status_of(sandbox, ref) == "canceled"
        assert "it was released" in Discrepancy.objects.get().summary

    def test_the_name_of_the_installation_is_on_what_it_makes(self, sandbox: Sandbox, settings: Settings) -> None:
        settings.INSTALLATION = "production"
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        assert sandbox.payment_intents()[0]["metadata"]["holdfast_installation"] == "production"
