"""Killed anywhere while a date is changed: asked again, it is changed and paid once, and no place is lost."""

from datetime import timedelta
from typing import Any

import pytest

from booking.models import Change, Reservation
from payments.models import Payment
from sweeps import registry as sweeps
from tests.support import fixed_point, promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.changing import CARD, change, places, price
from tests.support.dying import run_and_die
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.selling import sell, standing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]


def settle_down(sandbox: Sandbox) -> None:
    """Do what time does: leases end, sweeps run, events arrive."""
    for _ in range(3):
        end_leases()
        for name in ("expire_reservations", "send_commands", "retry_events"):
            sweeps.run(name)
        stripe_events.deliver_all(sandbox)


def play(sandbox: Sandbox, *, at: int, amount: int) -> bool:
    """Die at a boundary of a change to a day that costs an amount; False if there is no such boundary."""
    sandbox.reset()
    here = SlotFactory.create()
    there = SlotFactory.create(activity=here.activity, starts_at=here.starts_at + timedelta(days=1))
    frontend = Frontend.of(here)
    made = sell(frontend, here, sandbox)
    price(here, amount)
    asked: dict[str, Any] = {"slot_id": str(there.pk), "key": "once"} | ({"payment": CARD} if amount > 4500 else {})
    died = run_and_die(lambda: change(frontend, made, **asked), at=at)
    end_leases()
    if at % 2:
        settle_down(sandbox)
        end_leases()
    answer = change(frontend, made, **asked)
    assert answer.status_code in (201, 202), answer.content
    settle_down(sandbox)
    assert standing(frontend, made) == ("paid", amount, amount, 0)
    assert places(here, there) == [0, 1]
    reservation = Reservation.objects.get(pk=made["reservation"]["id"])
    assert [each.status for each in Change.objects.filter(reservation=reservation)] == ["done"]
    assert Payment.objects.filter(managed_id=reservation.pk).count() == (2 if amount > 4500 else 1)
    promises.hold(at_provider=True)
    fixed_point.is_reached()
    return died


@pytest.mark.parametrize("amount", [7500, 3000])
def test_at_every_boundary(sandbox: Sandbox, amount: int) -> None:
    boundary = 1
    while play(sandbox, at=boundary, amount=amount):
        boundary += 1
        assert boundary < 40
    assert boundary > 4
