"""What is shown to whom: a key that may only read, a customer, staff."""

import json
from typing import Any

import pytest

from booking import cancelling
from booking.models import History, Reservation
from catalogue.models import Slot
from common import ids
from payments.models import Payment
from tenants.models import Scope
from tests.support.api import Frontend
from tests.support.factories import SlotFactory, make_client
from tests.support.sandbox_client import Sandbox
from tests.support.user_pool import AGENT, Pool, groups

pytestmark = pytest.mark.django_db(transaction=True)

GUEST = {"name": "Ana Souza", "email": "ana@example.com"}
SECRET = "the guest was rude"


@pytest.fixture
def slot(pool: Pool, sandbox: Sandbox) -> Slot:
    return SlotFactory.create(activity__operator__slug="kayaks", activity__operator__cognito_client_id="kayak-shop")


def read_everything(frontend: Frontend, made: dict[str, Any]) -> str:
    """Read all that there is of a reservation, and return it as text."""
    reservation, payment = made["reservation"]["id"], made["payment"]["id"]
    paths = ["reservations", f"reservations/{reservation}", f"reservations/{reservation}/history", "payment_intents",
             f"payment_intents/{payment}", "transactions", f"transactions/{payment}", "refunds"]  # fmt: skip
    answers = [frontend.get(path) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    return "".join(answer.content.decode() for answer in answers)


class TestKeys:
    def test_that_may_only_read_are_shown_nothing_to_pay_or_write_with(self, slot: Slot) -> None:
        booking = Frontend.of(slot)
        made = booking.reserve(slot, card="pm_card_authenticationRequired", customer=GUEST).json()
        staff_cancels(made, by="user:rui@kayaks.example")
        secret = Payment.objects.get().client_secret
        assert secret
        assert made["payment"]["client_secret"] == secret
        assert made["payment"]["next_action"]
        reading = Frontend(make_client(slot.activity.operator, scopes=[Scope.READ])[1])
        text = read_everything(reading, made)
        for hidden in (secret, "_secret_", "ana@example.com", "rui@", SECRET, '"type":"redirect'):
            assert hidden not in text
        shown = reading.get(f"reservations/{made['reservation']['id']}").json()
        assert shown["reservation"]["customer"]["email"] == "a***@example.com"
        assert (shown["payment"]["client_secret"], shown["payment"]["next_action"]) == (None, None)
        everything = read_everything(booking, made)
        for told in (secret, "ana@example.com", "user:rui@kayaks.example", SECRET):
            assert told in everything

    @pytest.mark.parametrize("scopes", [[Scope.READ, Scope.REFUND], [Scope.READ]])
    def test_the_scope_to_book_is_what_counts(self, slot: Slot, scopes: list[Scope]) -> None:
        made = Frontend.of(slot).reserve(slot, customer=GUEST).json()
        other = Frontend(make_client(slot.activity.operator, scopes=scopes)[1])
        assert made["payment"]["client_secret"] not in read_everything(other, made)

    def test_a_person_of_the_staff_reads_the_address_and_no_secret(self, slot: Slot, pool: Pool) -> None:
        made = Frontend.of(slot).reserve(slot, customer=GUEST).json()
        text = read_everything(Frontend(pool.token(**groups("holdfast:kayaks:read_only"))), made)
        assert "ana@example.com" in text
        assert made["payment"]["client_secret"] not in text


def staff_cancels(made: dict[str, Any], *, by: str) -> None:
    reservation = Reservation.objects.get(pk=made["reservation"]["id"])
    cancelling.cancel(
        operator=reservation.operator, reservation_id=reservation.pk, operation_id=ids.new_id(), actor=by, reason=SECRET
    )


class TestCustomers:
    def test_read_roles_and_no_words_of_the_staff(self, slot: Slot, pool: Pool) -> None:
        guest = Frontend(pool.token(aud="kayak-shop", sub="guest", email="guest@example.com"))
        made = guest.reserve(slot).json()
        staff_cancels(made, by="user:rui@kayaks.example")
        history = guest.get(f"reservations/{made['reservation']['id']}/history").json()
        told = [(row["to"], row["actor"], row["reason"]) for row in history]
        assert told[0] == ("awaiting_payment", "customer", "reserve")
        assert told[-1] == ("cancelled", "staff", "")
        assert {actor for _, actor, _ in told} <= {"customer", "staff", "provider", "system"}
        assert "rui" not in json.dumps(history)
        assert SECRET not in json.dumps(history)
        names = {row.actor for row in History.objects.all()}
        assert not names & {actor for _, actor, _ in told}

    def test_staff_read_names_and_words(self, slot: Slot, pool: Pool) -> None:
        made = Frontend.of(slot).reserve(slot).json()
        staff_cancels(made, by="user:rui@kayaks.example")
        agent = Frontend(pool.token(**AGENT))
        last = agent.get(f"reservations/{made['reservation']['id']}/history").json()[-1]
        assert (last["actor"], last["reason"]) == ("user:rui@kayaks.example", SECRET)
