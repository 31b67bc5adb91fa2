"""Nobody lends the evidence of one payment to another, nor a payment to another reservation: not by raw SQL either."""

from typing import Any

import pytest

from booking.models import Reservation
from payments.models import Payment
from tests.support import paying, promises, stripe_events
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.refusing import is_refused
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

LENDING = [
    # the reservation that is held is given what the paid one has
    ("UPDATE booking_reservation SET payment_id = %(api)s WHERE id = %(held)s",),
    ("UPDATE booking_reservation SET payment_id = %(api)s WHERE id = %(paid)s",),
    ("UPDATE booking_reservation SET operator_id = %(stranger)s WHERE id = %(paid)s",),
    ("UPDATE payments_payment SET captured_event_id = %(event)s, amount_captured = amount, status = 'succeeded',"
     " changed_at = now() WHERE id = %(held_payment)s",),
    ("UPDATE payments_payment SET captured_event_id = %(event)s, amount_captured = amount, status = 'succeeded',"
     " changed_at = now(), provider_ref = (SELECT object_ref FROM webhooks_event WHERE id = %(event)s)"
     " WHERE id = %(held_payment)s",),
    ("UPDATE webhooks_event SET payment_id = %(held_payment)s WHERE id = %(event)s",),
    # whose a payment is, and what drives it
    ("UPDATE payments_payment SET managed_by = '' WHERE id = %(paid_payment)s",),
    ("UPDATE payments_payment SET managed_by = 'reservation' WHERE id = %(api)s",),
    ("UPDATE payments_payment SET operator_id = %(stranger)s WHERE id = %(paid_payment)s",),
    ("UPDATE payments_payment SET provider_account = 'acct_x' WHERE id = %(held_payment)s",),
    ("UPDATE payments_payment SET provider_ref = 'pi_other' WHERE id = %(held_payment)s",),
    # what is captured stays as the event says
    ("UPDATE payments_payment SET currency = 'EUR' WHERE id = %(paid_payment)s",),
    ("UPDATE payments_payment SET amount = amount * 2, amount_captured = amount * 2 WHERE id = %(paid_payment)s",),
    ("UPDATE booking_reservation SET amount = amount - 1 WHERE id = %(paid)s",),
    ("UPDATE booking_reservation SET currency = 'EUR' WHERE id = %(paid)s",),
    # a paid reservation beside the one whose money it is
    ("INSERT INTO booking_reservation SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(),"
     " 'reference', 'AAAAAA', 'payment_id', %(api)s::text, 'status', 'awaiting_payment'))).*"
     " FROM booking_reservation r WHERE id = %(held)s",),
]  # fmt: skip


@pytest.fixture
def ids(sandbox: Sandbox) -> dict[str, Any]:
    """A held reservation, a paid one, a payment without one, and an operator that has none of these."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    held, paid = (frontend.reserve(slot).json()["reservation"]["id"] for _ in range(2))
    frontend.post(f"reservations/{paid}/confirm")
    api = paying.create(frontend, amount=4500, capture_method="automatic").json()["id"]
    frontend.patch(f"payment_intents/{api}/confirm")
    paying.work(sandbox)
    stripe_events.deliver_all(sandbox)
    payment = Payment.objects.get(managed_id=paid)
    assert Payment.objects.get(pk=api).status == payment.status == "succeeded"
    return {
        "held": held, "paid": paid, "api": api, "event": payment.captured_event_id, "paid_payment": payment.pk,
        "held_payment": Payment.objects.get(managed_id=held).pk, "stranger": OperatorFactory.create().pk,
    }  # fmt: skip


def test_no_evidence_is_lent(ids: dict[str, Any]) -> None:
    for (statement,) in LENDING:
        assert is_refused(statement, ids), f"nothing refuses: {statement}"
    assert Reservation.objects.get(pk=str(ids["held"])).status == "pending"
    assert Reservation.objects.get(pk=str(ids["paid"])).status == "paid"
    promises.hold()
