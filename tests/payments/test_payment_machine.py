"""Hypothesis lives a payment at a provider, and tells of it in any order, twice, late or not at all."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

from payments import payment_outcomes
from payments.models import Command
from payments.outcome_types import Failure, Outcome, PaymentOutcome
from payments.payment_outcomes import Change
from payments.states import PAYMENT_FINAL, PAYMENT_TRANSITIONS, CommandKind, PaymentStatus
from tests.payments.said import NOW, payment, told

PROVIDER = {
    Outcome.REQUIRES_PAYMENT_METHOD: (Outcome.REQUIRES_ACTION, Outcome.HELD, Outcome.CAPTURED, Outcome.CANCELED),
    Outcome.REQUIRES_ACTION: (Outcome.HELD, Outcome.CAPTURED, Outcome.CANCELED),
    Outcome.HELD: (Outcome.CAPTURED, Outcome.CANCELED),
    Outcome.CAPTURED: (),
    Outcome.CANCELED: (),
}
"""How an intent can go on at the provider."""
ENDS = {
    Outcome.CAPTURED: {"succeeded"},
    Outcome.CANCELED: {"canceled"},
    Outcome.HELD: {"on_hold", "processing"},
    Outcome.REQUIRES_ACTION: {"requires_action"},
    Outcome.REQUIRES_PAYMENT_METHOD: {"processing", "requires_payment_method"},
}


class PaymentMachine(RuleBasedStateMachine):
    """One payment, its intent at the provider, and all that was ever said of it."""

    news = Bundle("news")

    @initialize()
    def begin(self) -> None:
        """Make a payment whose authorization is on its way."""
        self.payment = payment()
        self.there = Outcome.REQUIRES_PAYMENT_METHOD
        self.events: list[PaymentOutcome] = []
        self.money: list[Change] = []
        self.was_refused = False
        self.at = NOW
        self.path = [self.payment.status]

    @precondition(lambda self: self.there in (Outcome.REQUIRES_PAYMENT_METHOD, Outcome.REQUIRES_ACTION, Outcome.HELD))
    @rule(target=news, choose=st.integers(0, 3), is_answer_too=st.booleans())
    def goes_on(self, choose: int, is_answer_too: bool) -> object:
        """The intent goes on at the provider, which makes an event; the answer to a call of ours may tell of it too."""
        ways = PROVIDER[self.there]
        self.there = ways[choose % len(ways)]
        self.events.append(self._say(self.there, event_id=uuid4()))
        answer = self._say(self.there, command=Command(kind=CommandKind.AUTHORIZE))
        return multiple(self.events[-1], answer) if is_answer_too else self.events[-1]

    @precondition(lambda self: self.there is Outcome.REQUIRES_PAYMENT_METHOD)
    @rule(target=news)
    def a_try_is_declined(self) -> PaymentOutcome:
        """A card is declined, and the customer may try another: the intent stays open."""
        self.events.append(self._say(Outcome.DECLINED, event_id=uuid4()))
        return self.events[-1]

    @precondition(lambda self: self.there is Outcome.REQUIRES_PAYMENT_METHOD)
    @rule(target=news)
    def our_call_is_declined(self) -> PaymentOutcome:
        """Our own call is declined, which ends the payment here."""
        return self._say(Outcome.DECLINED, command=Command(kind=CommandKind.AUTHORIZE))

    @precondition(lambda self: self.payment.status == "on_hold")
    @rule()
    def we_want_the_money(self) -> None:
        """The hold is confirmed here; its capture is on its way."""
        self.payment.move(PaymentStatus.PROCESSING, at=self.at, by="client", because="capture requested")
        self.path.append(self.payment.status)

    @rule(heard=news)
    def is_heard(self, heard: PaymentOutcome) -> None:
        """Something that was said reaches us; perhaps not for the first time."""
        self.at += timedelta(seconds=1)
        self.was_refused |= heard.kind is Outcome.DECLINED and heard.command is not None
        change = payment_outcomes.apply(self.payment, heard, at=self.at)
        if change in (Change.CAPTURED, Change.LATE):
            self.money.append(change)
            assert heard.event_id is not None, "money without evidence (P3)"
        self.payment.stuck_at = None  # a person has seen it: whether a flag stays is asked of the database
        if self.payment.status != self.path[-1]:
            self.path.append(self.payment.status)

    @invariant()
    def no_step_is_illegal(self) -> None:
        """Every step is one of the table, and what is over stays over (P8)."""
        for before, after in zip(self.path, self.path[1:], strict=False):
            assert after in PAYMENT_TRANSITIONS[before], self.path
        assert not PAYMENT_FINAL & set(self.path[:-1]), self.path

    @invariant()
    def old_news_takes_nothing_back(self) -> None:
        """A hold is had once; nothing asks for an action after it, and what is paid has not failed."""
        assert self.path.count("on_hold") <= 1, self.path
        assert "on_hold" not in self.path or "requires_action" not in self.path[self.path.index("on_hold") :], self.path
        assert self.payment.status != "succeeded" or not self.payment.failure_code

    @invariant()
    def money_is_proved_and_taken_once(self) -> None:
        """It is ours once, with its event, and only if the provider has it."""
        assert len(self.money) <= 1
        assert (
            bool(self.money) == (self.payment.amount_captured == 4500) == (self.payment.captured_event_id is not None)
        )
        assert not self.money or self.there is Outcome.CAPTURED
        assert (self.payment.status == "succeeded") == (self.money == [Change.CAPTURED])

    def teardown(self) -> None:
        """At last every event is heard, the newest first; then we know what the provider knows."""
        for event in reversed(getattr(self, "events", [])):
            self.is_heard(event)
            self.no_step_is_illegal()
            self.old_news_takes_nothing_back()
            self.money_is_proved_and_taken_once()
        if not hasattr(self, "payment"):
            return
        assert bool(self.money) == (self.there is Outcome.CAPTURED)
        assert self.payment.status in ENDS[self.there] | ({"failed"} if self.was_refused else set())

    def _say(self, outcome: Outcome, **of: object) -> PaymentOutcome:
        failure = Failure(code="card_declined", message="No.") if outcome is Outcome.DECLINED else None
        payment = told(Outcome.REQUIRES_PAYMENT_METHOD if failure else outcome)
        fields = {"provider": "stripe", "actor": "somebody", "kind": outcome, "payment": payment, "failure": failure}
        self.at += timedelta(seconds=1)
        of |= {"occurred_at": self.at} if "event_id" in of else {}
        return PaymentOutcome(**(fields | of))  # type: ignore[arg-type]


PaymentMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=25, deadline=None)
TestPaymentMachine: Callable[..., object] = PaymentMachine.TestCase
