"""Changes at one moment: guests who swap dates, and a time that is over while the money comes."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from booking import lapsing
from booking.models import Change, Reservation
from catalogue.models import Slot
from common import database
from tests.support import fixed_point, promises, stripe_events
from tests.support.api import Frontend
from tests.support.changing import change, places, price
from tests.support.factories import SlotFactory
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import sell
from tests.support.threads import deadlocks, race

pytestmark = pytest.mark.django_db(transaction=True)


def two_days(capacity: int) -> tuple[Slot, Slot]:
    here: Slot = SlotFactory.create(capacity=capacity)
    there: Slot = SlotFactory.create(
        activity=here.activity, starts_at=here.starts_at + timedelta(days=1), capacity=capacity
    )
    return here, there


def test_who_swap_dates_wait_for_nobody_for_ever(sandbox: Sandbox) -> None:
    here, there = two_days(20)
    frontend = Frontend.of(here)
    some = [frontend.on_arrival(slot).json() for slot in (here, there) for _ in range(4)]
    before = deadlocks()
    wanted = [there] * 4 + [here] * 4
    runs = [
        partial(change, Frontend(frontend.key), made, slot_id=str(to.pk)) for made, to in zip(some, wanted, strict=True)
    ]
    assert {answer.status_code for answer in race(runs)} == {201}
    assert (deadlocks(), places(here, there)) == (before, [4, 4])
    promises.hold()
    fixed_point.is_reached()


def test_who_want_the_last_place_get_it_once(sandbox: Sandbox) -> None:
    here, there = two_days(8)
    Slot.objects.filter(pk=there.pk).update(capacity=1)
    frontend = Frontend.of(here)
    some = [frontend.on_arrival(here).json() for _ in range(4)]
    runs = [partial(change, Frontend(frontend.key), made, slot_id=str(there.pk)) for made in some]
    assert sorted(answer.status_code for answer in race(runs)) == [201, 409, 409, 409]
    assert places(here, there) == [3, 1]
    promises.hold()


@pytest.mark.parametrize("_", range(4))
def test_its_time_is_over_while_its_money_comes(sandbox: Sandbox, _: int) -> None:
    here, there = two_days(2)
    frontend = Frontend.of(here)
    made = sell(frontend, here, sandbox)
    price(here, 7500)
    change(frontend, made, slot_id=str(there.pk))
    asked = Change.objects.get()
    body: dict[str, Any] = {"provider": "stripe", "change_id": str(asked.pk)}
    paid = frontend.post(f"reservations/{made['reservation']['id']}/payments", body).json()["payments"][-1]
    sandbox.pay(paid["provider_ref"])
    Change.objects.update(expires_at=database.now() + timedelta(milliseconds=30))
    runs: list[Callable[[], object]] = [lapsing.lapse_due, partial(stripe_events.deliver_all, sandbox)]
    race([*runs, lapsing.lapse_due])
    for _again in range(3):
        lapsing.lapse_due()
        work(sandbox)
    asked.refresh_from_db()
    row = Reservation.objects.get()
    moved = (there.pk, 7500, [0, 1]) if asked.status == "done" else (here.pk, 4500, [1, 0])
    assert (row.slot_id, row.amount_proven, places(here, there)) == moved
    assert row.status == "paid"
    promises.hold(at_provider=True)
    fixed_point.is_reached()
