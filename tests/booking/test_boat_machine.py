"""Hypothesis sells one boat by overlapping departures and whole days; what is free is asked of the rows themselves."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from booking import expiring, rescheduling
from booking.models import Occupancy, Reservation
from booking.states import ACTIVE, HOLDING
from catalogue.models import Activity, Slot
from common.errors import HoldfastError
from tests.support import promises, stripe_events
from tests.support.aging import run_out
from tests.support.api import Frontend, reservation_body
from tests.support.factories import ActivityFactory, SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

HOURS = (9, 10, 12, 24 + 11)
"""When departures of two hours are: the first two overlap, the next touches them, the last is on the next day."""
STEPS = ("reserve", "reserve", "run out", "sweep", "cancel", "move", "money")


class Boat:
    """A boat, what is done with it, and what must come of that."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.activity: Activity = ActivityFactory.create(exclusive=True, timezone="UTC", rates={"adult": 9000})
        self.midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        starts = [self.midnight + timedelta(hours=hour) for hour in HOURS]
        self.slots: list[Slot] = [SlotFactory.create(activity=self.activity, starts_at=start) for start in starts]
        self.frontend = Frontend.of(self.slots[0])

    def do(self, step: str, number: int) -> None:
        """Do one thing, to what the number says; of what cannot be, nothing comes."""
        rows = list(self.activity.reservations.order_by("id"))
        row = rows[number % len(rows)] if rows else None
        if step == "reserve":
            self.reserve(number)
        elif step == "sweep":
            expiring.expire_due()
        elif row is not None:
            {"run out": self.run_out, "cancel": self.cancel, "money": self.money, "move": self.move}[step](row, number)

    def reserve(self, number: int) -> None:
        """Book a departure, or one of two whole days: it is had if it is free, and only then."""
        if number < len(self.slots):
            slot = self.slots[number]
            start, end, body = slot.starts_at, slot.ends_at, reservation_body(slot, capture_method="automatic")
        else:
            start = self.midnight + timedelta(days=number - len(self.slots))
            end, body = start + timedelta(days=1), reservation_body(self.slots[0], capture_method="automatic")
            body = {**body, "resource_id": str(self.activity.pk), "date": f"{start:%Y-%m-%d}"}
            del body["slot_id"]
        is_free = not self.parties(start, end)
        assert self.frontend.post("reservations", body).status_code == (201 if is_free else 409)

    def parties(self, start: datetime, end: datetime, but: Any = None) -> bool:
        """Whether a party whose hold has not run out is there at a time."""
        over = Q(status__in=sorted(HOLDING), expires_at__lte=Now())
        there = self.activity.reservations.filter(status__in=sorted(ACTIVE), starts_at__lt=end, ends_at__gt=start)
        return there.exclude(over).exclude(pk=but).exists()

    def run_out(self, row: Reservation, number: int) -> None:
        """Let its hold run out, whether the sweep comes or not."""
        if row.status in HOLDING:
            run_out(row.pk)

    def cancel(self, row: Reservation, number: int) -> None:
        """Cancel it, if it is a hold."""
        self.frontend.post(f"reservations/{row.pk}/cancel")

    def move(self, row: Reservation, number: int) -> None:
        """Take it to a departure, if that is free for it."""
        slot = self.slots[number % len(self.slots)]
        can_move = row.is_active and not row.is_due(timezone.now()) and row.slot_id not in (None, slot.pk)
        is_free = not self.parties(slot.starts_at, slot.ends_at, but=row.pk)
        try:
            rescheduling.reschedule(
                operator=row.operator, reservation_id=row.pk, slot_id=slot.pk, actor="user:x", reason="the wind"
            )
        except HoldfastError:
            assert not (can_move and is_free)
        else:
            assert can_move
            assert is_free

    def money(self, row: Reservation, number: int) -> None:
        """Let the event of its capture come, in time or late."""
        was_over = row.status == "expired"
        is_free = not self.parties(row.starts_at, row.ends_at, but=row.pk)
        for event in stripe_events.happened(self.sandbox, "payment_intent.succeeded"):
            if event["data"]["object"]["id"] == row.payments[-1].provider_ref:
                assert stripe_events.deliver(event).status_code == 200
                row.refresh_from_db()
                assert not was_over or row.status == ("paid" if is_free else "expired")

    def check(self) -> None:
        """Ask what must always hold."""
        promises.hold()
        rows = set(Occupancy.objects.filter(activity=self.activity).values_list("reservation", flat=True))
        active = self.activity.reservations.filter(status__in=sorted(ACTIVE))
        assert rows == set(active.values_list("pk", flat=True))


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), min_size=4, max_size=12))
def test_one_party_has_the_boat_whatever_is_done(sandbox: Sandbox, steps: list[tuple[str, int]]) -> None:
    sandbox.reset()
    boat = Boat(sandbox)
    boat.reserve(0)
    for step, number in steps:
        boat.do(step, number)
        boat.check()
