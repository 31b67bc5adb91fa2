"""A whole day is told by its date, in a mail and on the desk; an hour that comes twice by its difference to UTC."""

import pytest
from django.core.mail import EmailMessage

from notifications import rendering
from notifications.models import Mail
from sweeps import registry
from tests.support import stripe_events
from tests.support.api import Frontend
from tests.support.desk import page_of, sign_in
from tests.support.factories import ActivityFactory, make_client
from tests.support.sandbox_client import Sandbox


@pytest.mark.django_db(transaction=True)
def test_a_whole_day(sandbox: Sandbox, mailoutbox: list[EmailMessage]) -> None:
    boat = ActivityFactory.create(exclusive=True, rates={"boat": 68000})
    body = {
        "resource_id": str(boat.pk), "date": "2027-07-01",
        "customer": {"name": "Ana Souza", "email": "ana@example.com"},
        "payment": {"provider": "stripe", "capture_method": "automatic", "payment_method_id": "pm_card_visa"},
    }  # fmt: skip
    assert Frontend(make_client(boat.operator)[1]).post("reservations", body).status_code == 201
    stripe_events.deliver_all(sandbox)
    registry.run("send_mails")
    assert "Thursday, July 1, 2027 (Europe/Lisbon)" in mailoutbox[0].body
    page = sign_in(operator=boat.operator).get(page_of(boat.reservations.get())).content.decode()
    assert "2027-07-01 (the whole day)" in page


@pytest.mark.parametrize(
    ("hour", "place"), [("00", "Lisbon, UTC+01:00"), ("01", "Lisbon, UTC+00:00"), ("02", "Lisbon)")]
)
def test_an_hour_that_comes_twice(hour: str, place: str) -> None:
    facts = {
        "name": "Ana", "reference": "K7QF2M", "activity": "Kayaks", "operator": "Mare Alta", "units": {"Adult": 1},
        "starts_at": f"2027-10-31T{hour}:30:00Z", "timezone": "Europe/Lisbon", "amount": 4500, "currency": "EUR",
    }  # fmt: skip
    message = rendering.message(Mail(kind="paid", language="en", facts=facts, to=["ana@example.com"]))
    assert f"{place}" in message.body
    assert "Sunday, October 31, 2027" in message.body
