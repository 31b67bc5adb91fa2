"""What takes money is sent only while it is wanted: the rows decide, before every send but the first."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import F
from django.db.models.functions import Now

from booking import execution, expiring
from booking.models import Reservation
from catalogue.models import Slot
from payments import commands
from payments.models import Command, Payment
from payments.states import CommandKind
from tests.support import paying, promises, stripe_events
from tests.support.aging import end_leases, let_checks_be_due, run_out
from tests.support.api import Frontend
from tests.support.checking import check
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

CREATE = "POST /v1/payment_intents"


def cancel(frontend: Frontend, reservation: Reservation) -> None:
    answer = frontend.post(f"reservations/{reservation.pk}/cancel")
    assert answer.json()["reservation"]["status"] == "cancelled"


def expire(frontend: Frontend, reservation: Reservation) -> None:
    run_out(reservation.pk)
    assert expiring.expire_due() == 1


def run_out_unswept(frontend: Frontend, reservation: Reservation) -> None:
    run_out(reservation.pk)


def end_by_sql(frontend: Frontend, reservation: Reservation) -> None:
    """End it as somebody does who knows of no command."""
    Reservation.objects.update(status="cancelled", changed_at=Now(), changed_by="dba", changed_because="by hand")
    Slot.objects.update(reserved=0)


def try_again() -> None:
    """Give every open command another round, as staff do."""
    for command in Command.objects.filter(status__in=["sent", "unknown"]):
        commands.give_another_round(command_id=command.pk)


def settle(sandbox: Sandbox, rounds: int = 3) -> None:
    """Do what time does."""
    for _ in range(rounds):
        end_leases()
        paying.work(sandbox)


def charge(sandbox: Sandbox, fault: str, times: int = 1) -> tuple[Frontend, Reservation]:
    """Reserve by a charge whose first sending meets a fault."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    sandbox.fault(CREATE, fault, times=times)
    assert frontend.reserve(slot, capture_method="automatic").status_code == 202
    return frontend, Reservation.objects.get()


class TestReservation:
    @pytest.mark.parametrize("again", [None, try_again], ids=["swept", "tried again by staff"])
    @pytest.mark.parametrize(
        ("end", "status"),
        [(cancel, "cancelled"), (expire, "expired"), (run_out_unswept, "expired"), (end_by_sql, "cancelled")],
    )
    def test_that_is_over_begins_no_payment(
        self,
        sandbox: Sandbox,
        end: Callable[[Frontend, Reservation], None],
        status: str,
        again: Callable[[], None] | None,
    ) -> None:
        frontend, reservation = charge(sandbox, "rate_limit")
        end(frontend, reservation)
        if again is not None:
            again()
        settle(sandbox)
        reservation.refresh_from_db()
        assert (reservation.status, reservation.payments[-1].status) == (status, "canceled")
        assert sandbox.payment_intents() == [], "nothing was ever sent, so nothing is made to be canceled"
        assert set(Command.objects.values_list("status", flat=True)) == {"done"}
        promises.hold(at_provider=True)

    @pytest.mark.parametrize("fault", ["drop_answer", "error_before", "error_after"])
    @pytest.mark.parametrize("end", [expire, run_out_unswept, end_by_sql])
    def test_that_is_over_takes_no_money_by_a_call_of_unknown_outcome(
        self, sandbox: Sandbox, fault: str, end: Callable[[Frontend, Reservation], None]
    ) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        sandbox.fault(CREATE, fault)
        frontend.reserve(slot)
        end(frontend, Reservation.objects.get())
        settle(sandbox, 2)
        expiring.expire_due()
        settle(sandbox, 2)
        assert {intent["status"] for intent in sandbox.payment_intents()} <= {"canceled"}
        promises.hold(at_provider=True)

    def test_that_is_over_is_asked_for_at_every_send(self, sandbox: Sandbox) -> None:
        """No answer, canceled, then turned away again and again: each time it is abandoned, never begun."""
        frontend, reservation = charge(sandbox, "error_before")
        cancel(frontend, reservation)
        sandbox.fault(CREATE, "rate_limit", times=3)
        settle(sandbox, 5)
        assert [intent["status"] for intent in sandbox.payment_intents()] == ["canceled"]
        command = Command.objects.get(kind="charge")
        assert (command.status, command.attempts, command.turned_away, command.extra_attempts) == ("done", 5, 3, 3)
        promises.hold(at_provider=True)

    def test_that_lives_is_charged_after_any_number_of_rate_limits(self, sandbox: Sandbox) -> None:
        charge(sandbox, "rate_limit", times=7)
        settle(sandbox, 8)
        assert Reservation.objects.get().status == "paid"
        command = Command.objects.get()
        assert (command.attempts, command.turned_away, command.extra_attempts) == (8, 7, 7)

    def test_that_is_over_is_found_out_after_its_command_was_given_up(self, sandbox: Sandbox) -> None:
        frontend, reservation = charge(sandbox, "error_before", times=5)
        for _ in range(5):
            end_leases()
            execution.execute_due()
        assert Payment.objects.get().stuck_at is not None
        cancel(frontend, reservation)
        sandbox.fault(CREATE, "rate_limit")
        for _ in range(3):
            end_leases()
            check()
        settle(sandbox)
        assert {intent["amount_received"] for intent in sandbox.payment_intents()} == {0}
        assert Payment.objects.get().status == "canceled"
        promises.hold(at_provider=True)

    def test_whose_release_is_wanted_is_not_captured(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot).json()["reservation"]["id"]
        sandbox.fault("POST /v1/payment_intents/*/capture", "rate_limit")
        assert frontend.post(f"reservations/{made}/confirm").json()["reservation"]["status"] == "confirmed"
        payment = Payment.objects.get()
        release = commands.new(
            payment=payment, kind=CommandKind.CANCEL, requested_by="me", reason="why", now=payment.changed_at
        )
        release.save(force_insert=True)
        settle(sandbox)
        (intent,) = sandbox.payment_intents()
        assert (intent["status"], intent["amount_received"]) == ("canceled", 0)
        assert Reservation.objects.get().status == "failed"
        promises.hold(at_provider=True)


class TestPaymentIntent:
    def made(self, sandbox: Sandbox, fault: str, **changes: Any) -> tuple[Frontend, str]:
        frontend = Frontend.of(SlotFactory.create())
        sandbox.fault(CREATE, fault)
        made = paying.create(frontend, **changes)
        return frontend, made.json()["id"]

    def test_canceled_before_it_was_made_is_not_made(self, sandbox: Sandbox) -> None:
        frontend, made = self.made(sandbox, "rate_limit")
        assert frontend.post(f"payment_intents/{made}/cancel").status_code in (200, 202)
        settle(sandbox)
        assert (Payment.objects.get().status, sandbox.payment_intents()) == ("canceled", [])

    @pytest.mark.parametrize("method", ["automatic", "manual"])
    def test_canceled_before_its_confirmation_was_sent_is_not_confirmed(self, sandbox: Sandbox, method: str) -> None:
        frontend = Frontend.of(SlotFactory.create())
        made = paying.create(frontend, capture_method=method).json()
        sandbox.fault("POST /v1/payment_intents/*/confirm", "rate_limit")
        assert frontend.patch(f"payment_intents/{made['id']}/confirm").status_code == 202
        execution.execute_due()
        payment = Payment.objects.get()
        commands.new(
            payment=payment, kind=CommandKind.CANCEL, requested_by="me", reason="why", now=payment.changed_at
        ).save(force_insert=True)
        settle(sandbox)
        (intent,) = sandbox.payment_intents()
        assert (intent["status"], intent["amount_received"]) == ("canceled", 0)
        assert Payment.objects.get().status == "canceled"


class TestFacts:
    @pytest.mark.parametrize("field", ["attempts", "extra_attempts", "turned_away"])
    def test_never_shrink(self, sandbox: Sandbox, field: str) -> None:
        charge(sandbox, "rate_limit")
        with pytest.raises(IntegrityError, match="never taken back"):
            Command.objects.update(**{field: F(field) - 1})

    def test_a_saved_answer_stays_saved(self, sandbox: Sandbox) -> None:
        charge(sandbox, "error_after")
        assert Command.objects.get().answer_saved
        with pytest.raises(IntegrityError, match="never taken back"):
            Command.objects.update(answer_saved=False)

    def test_a_payment_that_is_final_needs_no_further_call_that_takes_money(self, sandbox: Sandbox) -> None:
        frontend, _ = charge(sandbox, "rate_limit")
        Payment.objects.update(status="failed", changed_at=Now(), changed_by="dba", changed_because="by hand")
        end_by_sql(frontend, Reservation.objects.get())
        let_checks_be_due()
        settle(sandbox)
        stripe_events.deliver_all(sandbox)
        assert sandbox.payment_intents() == []
