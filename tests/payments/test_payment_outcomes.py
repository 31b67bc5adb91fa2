"""What an outcome does to a payment: pure, and right in whatever order it comes."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations, product
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from common.states import InvalidStateError
from payments import payment_outcomes
from payments.errors import OutcomeMismatchError
from payments.models import Command, Payment
from payments.outcome_types import Failure, Outcome, PaymentOutcome
from payments.payment_outcomes import Change
from payments.states import CommandKind, PaymentStatus
from tests.payments.said import NOW, payment, told

FINAL = ("succeeded", "failed", "canceled")


def event(outcome: Outcome, **changes: object) -> PaymentOutcome:
    return PaymentOutcome(
        provider="stripe", actor="event", event_id=uuid4(), kind=outcome, payment=told(outcome, **changes)
    )


def answer(outcome: Outcome, kind: CommandKind) -> PaymentOutcome:
    return PaymentOutcome(
        provider="stripe",
        actor="provider",
        kind=outcome,
        payment=told(outcome),
        command=Command(kind=kind),
        failure=Failure(code="card_declined", message="No.") if outcome is Outcome.DECLINED else None,
    )


class TestApply:
    @pytest.mark.parametrize(
        ("status", "outcome", "change", "becomes"),
        [
            ("processing", Outcome.HELD, Change.HELD, "on_hold"),
            ("requires_confirmation", Outcome.HELD, Change.HELD, "on_hold"),
            ("requires_action", Outcome.HELD, Change.HELD, "on_hold"),
            ("processing", Outcome.REQUIRES_ACTION, Change.PROGRESSED, "requires_action"),
            ("processing", Outcome.CAPTURED, Change.CAPTURED, "succeeded"),
            ("on_hold", Outcome.CAPTURED, Change.CAPTURED, "succeeded"),
            ("on_hold", Outcome.CANCELED, Change.LOST, "canceled"),
            ("processing", Outcome.DECLINED, Change.PROGRESSED, "requires_payment_method"),
            ("requires_action", Outcome.DECLINED, Change.PROGRESSED, "requires_payment_method"),
            ("requires_payment_method", Outcome.REQUIRES_ACTION, Change.PROGRESSED, "requires_action"),
            ("requires_payment_method", Outcome.HELD, Change.HELD, "on_hold"),
            ("failed", Outcome.HELD, Change.STALE, "failed"),
            ("canceled", Outcome.HELD, Change.STALE, "canceled"),
            ("canceled", Outcome.CAPTURED, Change.LATE, "canceled"),
            ("failed", Outcome.CAPTURED, Change.LATE, "failed"),
            ("succeeded", Outcome.CANCELED, Change.STALE, "succeeded"),
            ("failed", Outcome.DECLINED, Change.STALE, "failed"),
            ("processing", Outcome.UNKNOWN, Change.NONE, "processing"),
        ],
    )
    def test_an_event(self, status: str, outcome: Outcome, change: Change, becomes: str) -> None:
        row = payment(status)
        assert payment_outcomes.apply(row, event(outcome), at=NOW) is change
        assert row.status == becomes

    def test_captured_without_an_event_is_hearsay(self) -> None:
        row = payment("on_hold")
        assert payment_outcomes.apply(row, answer(Outcome.CAPTURED, CommandKind.CAPTURE), at=NOW) is Change.PROGRESSED
        assert (row.status, row.amount_captured, row.captured_event_id) == ("processing", 0, None)

    @pytest.mark.parametrize("status", ["failed", "canceled"])
    def test_hearsay_of_money_of_a_closed_payment_is_seen_until_its_event_comes(
        self, status: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Payment, "commands", SimpleNamespace(filter=lambda *_: Payment.objects.none()))
        row = payment(status, provider_ref="pi_1")
        assert payment_outcomes.apply(row, answer(Outcome.CAPTURED, CommandKind.CANCEL), at=NOW) is Change.PROGRESSED
        assert (row.status, row.amount_captured, row.stuck_at) == (status, 0, NOW)
        assert payment_outcomes.apply(row, event(Outcome.CAPTURED), at=NOW) is Change.LATE
        assert (row.status, row.amount_captured, row.stuck_at) == (status, 4500, None)

    def test_a_decline_of_our_own_call_is_final(self) -> None:
        row = payment()
        assert payment_outcomes.apply(row, answer(Outcome.DECLINED, CommandKind.AUTHORIZE), at=NOW) is Change.LOST
        assert (row.status, row.failure_code, row.failure_message) == ("failed", "card_declined", "No.")

    @pytest.mark.parametrize("status", ["on_hold", "processing", "failed", "canceled"])
    def test_a_release_that_is_refused_asks_for_a_person(self, status: str) -> None:
        row = payment(status)
        assert payment_outcomes.apply(row, answer(Outcome.REFUSED, CommandKind.CANCEL), at=NOW) is Change.PROGRESSED
        assert (row.status, row.stuck_at) == (status, NOW)

    def test_money_is_counted_once(self) -> None:
        row = payment("on_hold")
        payment_outcomes.apply(row, event(Outcome.CAPTURED), at=NOW)
        first = row.captured_event_id
        assert payment_outcomes.apply(row, event(Outcome.CAPTURED), at=NOW) is Change.NONE
        assert (row.amount_captured, row.captured_event_id) == (4500, first)

    @pytest.mark.parametrize(
        "changes",
        [
            {"amount": 4499},
            {"currency": "EUR"},
            {"account": "acct_other"},
            {"payment_id": UUID(int=8)},
            {"amount_captured": 4501},
            {"amount_captured": 0},
        ],
    )
    def test_what_is_not_ours_is_refused_and_changes_nothing(self, changes: dict[str, object]) -> None:
        row = payment("on_hold")
        with pytest.raises(OutcomeMismatchError):
            payment_outcomes.apply(row, event(Outcome.CAPTURED, **changes), at=NOW)
        assert (row.status, row.amount_captured) == ("on_hold", 0)

    def test_another_object_that_claims_to_be_this_payment_is_refused(self) -> None:
        row = payment("on_hold", provider_ref="pi_1")
        with pytest.raises(OutcomeMismatchError):
            payment_outcomes.apply(row, event(Outcome.CAPTURED, ref="pi_2"), at=NOW)


STEP = {"type": "use_stripe_sdk"}


def happened(outcome: Outcome, second: int, **changes: object) -> PaymentOutcome:
    """An event of so many seconds after noon."""
    failure = Failure(code="card_declined", message="No.") if outcome is Outcome.DECLINED else None
    return replace(event(outcome, **changes), occurred_at=NOW + timedelta(seconds=second), failure=failure)


class TestOldNews:
    """What is older than what is known changes nothing of it, whenever it comes."""

    @pytest.mark.parametrize("second", [-3600, -1, 0])
    @pytest.mark.parametrize("outcome", [Outcome.PROCESSING, Outcome.REQUIRES_ACTION, Outcome.REQUIRES_PAYMENT_METHOD])
    def test_keeps_the_guests_next_action(self, outcome: Outcome, second: int) -> None:
        row = payment("processing")
        said = replace(
            answer(Outcome.REQUIRES_ACTION, CommandKind.AUTHORIZE),
            payment=told(Outcome.REQUIRES_ACTION, next_action=STEP),
        )
        payment_outcomes.apply(row, said, at=NOW + timedelta(milliseconds=300))
        assert payment_outcomes.apply(row, happened(outcome, second), at=NOW) in (Change.STALE, Change.NONE)
        assert (row.status, row.next_action) == ("requires_action", STEP)

    def test_newer_takes_it_away(self) -> None:
        row = payment("requires_confirmation")
        payment_outcomes.apply(row, happened(Outcome.REQUIRES_ACTION, 1, next_action=STEP), at=NOW)
        assert payment_outcomes.apply(row, happened(Outcome.PROCESSING, 2), at=NOW) is Change.PROGRESSED
        assert (row.status, row.next_action) == ("processing", None)

    @pytest.mark.parametrize("second", [1, 2])
    def test_a_failed_challenge_asks_for_another_method(self, second: int) -> None:
        row = payment("requires_confirmation")
        payment_outcomes.apply(row, happened(Outcome.REQUIRES_ACTION, 1, next_action=STEP), at=NOW)
        payment_outcomes.apply(row, happened(Outcome.DECLINED, second), at=NOW)
        assert (row.status, row.next_action, row.failure_code) == ("requires_payment_method", None, "card_declined")
        change = payment_outcomes.apply(row, happened(Outcome.REQUIRES_ACTION, 1, next_action=STEP), at=NOW)
        assert change is Change.STALE
        assert (row.status, row.next_action) == ("requires_payment_method", None)
        payment_outcomes.apply(row, happened(Outcome.REQUIRES_ACTION, 3, next_action=STEP), at=NOW)
        assert (row.status, row.next_action, row.failure_code) == ("requires_action", STEP, "")

    @pytest.mark.parametrize("then", [Outcome.REQUIRES_ACTION, Outcome.PROCESSING, Outcome.HELD, Outcome.CAPTURED])
    def test_a_decline_is_not_shown_on_what_came_after_it(self, then: Outcome) -> None:
        row = payment("requires_confirmation")
        payment_outcomes.apply(row, happened(then, 5), at=NOW)
        status = row.status
        assert payment_outcomes.apply(row, happened(Outcome.DECLINED, 4), at=NOW) is Change.STALE
        assert (row.status, row.failure_code, row.failure_message) == (status, "", "")

    def test_nor_on_what_we_have_asked_for_since(self) -> None:
        row = payment("requires_payment_method")
        row.move(PaymentStatus.PROCESSING, at=NOW, by="client", because="confirm requested")
        assert payment_outcomes.apply(row, happened(Outcome.DECLINED, -1), at=NOW) is Change.STALE
        assert (row.status, row.failure_code) == ("processing", "")

    def test_every_order_of_the_steps_of_a_try_ends_as_the_last(self) -> None:
        steps = [
            happened(Outcome.REQUIRES_PAYMENT_METHOD, 0),
            happened(Outcome.PROCESSING, 1),
            happened(Outcome.REQUIRES_ACTION, 1, next_action=STEP),
            happened(Outcome.DECLINED, 7),
            happened(Outcome.PROCESSING, 9),
            happened(Outcome.REQUIRES_ACTION, 10, next_action=STEP),
        ]
        for number in range(2, len(steps) + 1):
            last = {1: "processing", 2: "requires_action", 3: "requires_payment_method", 4: "processing"}
            for order in permutations(range(number)):
                row = payment("requires_confirmation")
                for index in order:
                    payment_outcomes.apply(row, steps[index], at=NOW)
                assert row.status == last.get(number - 1, "requires_action"), order
                assert (row.next_action is not None) == (row.status == "requires_action"), order


class TestOrder:
    @pytest.mark.parametrize(
        ("outcomes", "ends_as"),
        [
            ((Outcome.REQUIRES_ACTION, Outcome.PROCESSING, Outcome.HELD, Outcome.CAPTURED), {"succeeded"}),
            ((Outcome.REQUIRES_ACTION, Outcome.DECLINED, Outcome.HELD, Outcome.CANCELED), {"canceled"}),
            ((Outcome.PROCESSING, Outcome.HELD, Outcome.HELD, Outcome.CAPTURED, Outcome.CAPTURED), {"succeeded"}),
        ],
    )
    def test_of_the_events_does_not_matter(self, outcomes: tuple[Outcome, ...], ends_as: set[str]) -> None:
        for order in permutations(outcomes):
            row = payment("requires_confirmation")
            for outcome in order:
                payment_outcomes.apply(row, event(outcome), at=NOW)
            assert row.status in ends_as, order

    def test_what_is_over_never_succeeds(self) -> None:
        for status in ("failed", "canceled"):
            for order in permutations([outcome for outcome in Outcome if outcome is not Outcome.UNKNOWN], 3):
                row = payment(status)
                for outcome in order:
                    payment_outcomes.apply(row, event(outcome), at=NOW + timedelta(seconds=1))
                assert row.status == status, order

    def test_the_first_end_is_the_last_in_every_sequence_of_up_to_five(self) -> None:
        kinds = [outcome for outcome in Outcome if outcome not in (Outcome.UNKNOWN, Outcome.REFUSED)]
        news = {outcome: event(outcome) for outcome in kinds}
        for length in range(1, 6):
            for sequence in product(kinds, repeat=length):
                row, end = payment("requires_confirmation"), ""
                for outcome in sequence:
                    payment_outcomes.apply(row, news[outcome], at=NOW)
                    end = end or (row.status if row.is_final else "")
                assert not end or row.status == end, sequence

    def test_the_setter_refuses_what_the_table_does(self) -> None:
        for status in FINAL:
            with pytest.raises(InvalidStateError):
                payment(status).move(PaymentStatus.PROCESSING, at=NOW, by="me", because="why")
