"""What the desk says of a reservation's money, in each state that it can be in."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from booking import expiring, money_sentence
from booking.models import Change, Reservation
from catalogue.models import Activity, Slot
from tenants import clocks
from tests.support import dashboard, stripe_events
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.changing import change, price
from tests.support.desk import page_of, sign_in
from tests.support.factories import SlotFactory
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox
from tests.support.selling import refund, sell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot() -> Slot:
    return SlotFactory.create(capacity=1)


@pytest.fixture
def frontend(slot: Slot, sandbox: Sandbox) -> Frontend:
    return Frontend.of(slot)


@pytest.fixture
def desk() -> Client:
    return sign_in(operator=None)


def told(desk: Client, made: dict[str, Any]) -> str:
    """Return what the page says, which is what the function says."""
    row = Reservation.objects.select_related("payment").get(pk=made["reservation"]["id"])
    said = money_sentence.tell(row)
    assert said in desk.get(page_of(row)).content.decode()
    return said


def test_of_a_hold(frontend: Frontend, slot: Slot, desk: Client) -> None:
    made = frontend.reserve(slot, card=None).json()
    assert told(desk, made) == "45.00 USD to pay, and nothing held yet."
    frontend.post(f"reservations/{made['reservation']['id']}/cancel")
    assert told(desk, made) == "No money taken, and nothing owed."
    held = frontend.reserve(slot).json()
    assert told(desk, held) == "45.00 USD on hold."
    frontend.post(f"reservations/{held['reservation']['id']}/confirm")
    assert told(desk, held) == "45.00 USD being captured."


def test_of_a_part(frontend: Frontend, slot: Slot, sandbox: Sandbox, desk: Client) -> None:
    made = frontend.reserve(slot).json()
    dashboard.capture(sandbox, made["payment"]["provider_ref"], 4000)
    stripe_events.deliver_all(sandbox)
    assert told(desk, made) == "40.00 USD of 45.00 USD paid, 5.00 USD to pay."


def test_of_what_is_given_back(frontend: Frontend, slot: Slot, sandbox: Sandbox, desk: Client) -> None:
    made = sell(frontend, slot, sandbox)
    assert told(desk, made) == "45.00 USD paid, nothing to pay."
    refund(frontend, made, amount=1000)
    assert told(desk, made) == "45.00 USD paid, nothing to pay; 10.00 USD on the way back."
    work(sandbox)
    assert told(desk, made) == "35.00 USD paid, nothing to pay."
    sandbox.fail_refund(sandbox.state()["refunds"][0]["id"])
    stripe_events.deliver_all(sandbox)
    assert told(desk, made) == "45.00 USD paid, nothing to pay; 10.00 USD too much, which a person has to give back."
    refund(frontend, made, keep_places=True)
    work(sandbox)
    assert told(desk, made) == "45.00 USD given back, and the guest keeps the places."


def test_of_all_that_is_given_back(frontend: Frontend, slot: Slot, sandbox: Sandbox, desk: Client) -> None:
    made = sell(frontend, slot, sandbox)
    refund(frontend, made)
    work(sandbox)
    assert told(desk, made) == "45.00 USD given back, and nothing owed."


def test_of_late_money(frontend: Frontend, slot: Slot, sandbox: Sandbox, desk: Client) -> None:
    made = frontend.reserve(slot, card=None, capture_method="automatic").json()
    run_out(made["reservation"]["id"])
    expiring.expire_due()
    assert frontend.reserve(slot).status_code == 201
    sandbox.pay(made["payment"]["provider_ref"])
    stripe_events.deliver_all(sandbox)
    assert told(desk, made) == "45.00 USD taken, and nothing owed; 45.00 USD on the way back."


def test_of_deposits(frontend: Frontend, slot: Slot, sandbox: Sandbox, desk: Client) -> None:
    Activity.objects.update(plan="30 %, balance 0 days before")
    made = frontend.reserve(slot, plan="deposit").json()
    assert told(desk, made) == "13.50 USD of 45.00 USD on hold."
    frontend.post(f"reservations/{made['reservation']['id']}/confirm")
    assert told(desk, made) == "13.50 USD of 45.00 USD being captured."
    work(sandbox)
    due = clocks.when(slot.starts_at, slot.activity.timezone)
    assert told(desk, made) == f"13.50 USD of 45.00 USD paid, 31.50 USD to pay by {due}."
    link = pay(frontend, made, amount=3150)
    assert told(desk, made).endswith(f"to pay by {due}; a payment of 31.50 USD is in progress.")
    dashboard.cancel(sandbox, link.json()["payment"]["provider_ref"])
    stripe_events.deliver_all(sandbox)
    pay(frontend, made, amount=3150, payment_method_id="pm_card_visa_chargeDeclined")
    assert told(desk, made).endswith(f"to pay by {due}; a payment of 31.50 USD was declined.")


def test_of_a_declined_card(frontend: Frontend, slot: Slot, desk: Client) -> None:
    made = frontend.reserve(slot, card="pm_card_visa_chargeDeclined", on_decline="keep").json()
    assert told(desk, made) == "45.00 USD to pay, the card was declined, and another may follow."


def test_without_a_provider(frontend: Frontend, slot: Slot, desk: Client) -> None:
    made = frontend.on_arrival(slot, hold=True).json()
    assert told(desk, made) == "45.00 USD to pay, and held without money."
    frontend.post(f"reservations/{made['reservation']['id']}/confirm")
    assert told(desk, made) == "45.00 USD to pay on arrival."
    path = f"reservations/{made['reservation']['id']}"
    frontend.post(f"{path}/receipts", {"method": "cash", "amount": 2000})
    assert told(desk, made).startswith("20.00 USD of 45.00 USD paid by cash and the like, 25.00 USD to pay by ")
    frontend.post(f"{path}/receipts", {"method": "cash"})
    assert told(desk, made) == "45.00 USD paid by cash and the like, nothing to pay."
    page = desk.get(page_of(Reservation.objects.get())).content.decode()
    assert "Cash 20.00 USD: counts" in page
    assert "payment 45.00 USD: paid by " in page
    frontend.post(f"{path}/adjustments", {"kind": "discount", "amount": 500, "reason": "late"})
    assert told(desk, made).endswith("nothing to pay; 5.00 USD too much, which a person has to give back.")


def test_on_account_and_for_nothing(frontend: Frontend, slot: Slot, sandbox: Sandbox, desk: Client) -> None:
    made = frontend.on_arrival(slot, pay_by="account").json()
    assert told(desk, made) == "45.00 USD paid on account, nothing to pay."
    path = f"reservations/{made['reservation']['id']}"
    frontend.post(f"{path}/adjustments", {"kind": "extra", "amount": 2000, "reason": "a wetsuit"})
    pay(frontend, made, payment_method_id="pm_card_visa")
    work(sandbox)
    assert told(desk, made) == "65.00 USD paid (45.00 USD on account), nothing to pay."


def test_for_nothing(frontend: Frontend, slot: Slot, desk: Client) -> None:
    made = frontend.on_arrival(slot).json()
    body = {"kind": "discount", "amount": 4500, "reason": "a prize"}
    frontend.post(f"reservations/{made['reservation']['id']}/adjustments", body)
    assert told(desk, made) == "Nothing to pay."


def test_of_what_is_kept(frontend: Frontend, slot: Slot, sandbox: Sandbox, desk: Client) -> None:
    Activity.objects.update(terms="until 0 h: keep 20 %")
    made = frontend.reserve(slot).json()
    frontend.post(f"reservations/{made['reservation']['id']}/confirm")
    frontend.post(f"reservations/{made['reservation']['id']}/cancel", {"expected_refund": 3600})
    assert told(desk, made) == "9.00 USD kept of what is being captured."
    work(sandbox)
    assert told(desk, made) == "9.00 USD kept of what was paid; 36.00 USD on the way back."
    work(sandbox)
    assert told(desk, made) == "9.00 USD kept of what was paid."


def test_of_a_dispute(frontend: Frontend, slot: Slot, sandbox: Sandbox, desk: Client) -> None:
    made = sell(frontend, slot, sandbox)
    sandbox.dispute(made["payment"]["provider_ref"])
    stripe_events.deliver_all(sandbox)
    assert told(desk, made) == "45.00 USD paid, nothing to pay; the bank disputes 45.00 USD."


def pay(frontend: Frontend, made: dict[str, Any], **body: Any) -> Any:
    """Begin another payment."""
    return frontend.post(f"reservations/{made['reservation']['id']}/payments", {"provider": "stripe", **body})


def test_of_an_open_change(frontend: Frontend, slot: Slot, sandbox: Sandbox, desk: Client) -> None:
    made = sell(frontend, slot, sandbox)
    later = SlotFactory.create(activity=slot.activity, starts_at=slot.starts_at + timedelta(days=1))
    price(slot, 7500)
    assert change(frontend, made, slot_id=str(later.pk)).status_code == 201
    until = clocks.when(Change.objects.get().expires_at, slot.activity.timezone)
    assert told(desk, made) == f"45.00 USD paid, nothing to pay; 30.00 USD to pay for a change by {until}."
