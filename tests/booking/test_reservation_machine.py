"""Hypothesis drives a reservation by what can befall it; the table of the design says what may come of that."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from booking.models import Reservation
from booking.states import ReservationStatus
from common.states import InvalidStateError

BEFALLS = {
    "the hold is had": ("pending", {"awaiting_payment"}),
    "its time runs out": ("expired", {"awaiting_payment", "pending"}),
    "it is cancelled": ("cancelled", {"awaiting_payment", "pending", "confirmed", "paid"}),
    "it is confirmed": ("confirmed", {"awaiting_payment", "pending", "paid"}),
    "no money will come": ("failed", {"awaiting_payment", "pending", "confirmed"}),
    "the money is captured": ("paid", {"awaiting_payment", "pending", "confirmed", "expired", "failed"}),
    "all is given back": ("refunded", {"confirmed", "paid"}),
}
"""What each comes to, and from where: the design's section 3, read by its last column."""
PLACES = {"awaiting_payment", "pending", "confirmed", "paid"}


class ReservationMachine(RuleBasedStateMachine):
    """One reservation and what befalls it, wanted or not."""

    @initialize()
    def begin(self) -> None:
        """Make a reservation whose money is not had yet."""
        self.at = datetime(2027, 3, 1, 9, tzinfo=UTC)
        self.reservation = Reservation(
            status=ReservationStatus.AWAITING_PAYMENT, created_at=self.at, amount=4500, amount_owed=4500
        )
        self.path, self.first = ["awaiting_payment"], dict[str, datetime]()

    @rule(what=st.sampled_from(sorted(BEFALLS)))
    def befalls(self, what: str) -> None:
        """It moves on as the design says, or not at all."""
        self.at += timedelta(seconds=1)
        to, allowed = BEFALLS[what]
        if self.path[-1] in allowed:
            self.reservation.move(ReservationStatus(to), at=self.at, by="somebody", because=what)
            self.path.append(to)
            self.first.setdefault(to, self.at)
            assert self.reservation.changed_because == what
            return
        before = {name: value for name, value in vars(self.reservation).items() if name != "_state"}
        with pytest.raises(InvalidStateError):
            self.reservation.move(ReservationStatus(to), at=self.at, by="somebody", because=what)
        assert {name: value for name, value in vars(self.reservation).items() if name != "_state"} == before

    @invariant()
    def it_is_where_its_history_ends(self) -> None:
        """Its status, its places and its marks of time are those of its path."""
        assert self.reservation.status == self.path[-1]
        assert self.reservation.is_active == (self.path[-1] in PLACES)
        assert self.reservation.paid_at == self.first.get("paid")
        assert self.reservation.confirmed_at == self.first.get("confirmed")

    @invariant()
    def what_ends_without_money_owes_nothing(self) -> None:
        """Its status says so; all else is said by rows, whose sums the database compares."""
        over = self.path[-1] in {"expired", "failed"}
        assert over <= (self.reservation.amount_owed == 0)

    @invariant()
    def what_is_refunded_or_cancelled_stays_so(self) -> None:
        """Nothing comes after."""
        assert not {"refunded", "cancelled"} & set(self.path[:-1])


ReservationMachine.TestCase.settings = settings(max_examples=1000, stateful_step_count=8, deadline=None)
TestReservationMachine: Callable[..., object] = ReservationMachine.TestCase
