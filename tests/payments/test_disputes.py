"""Chargebacks: recorded whatever the order of their events, told to the staff once, and no figure of ours moved."""

from itertools import permutations

import pytest
from django.core import mail

from payments.models import Dispute, Payment
from sweeps import registry
from tenants.models import Member, User
from tests.support import promises, stripe_events
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def pay(sandbox: Sandbox) -> tuple[Frontend, Payment]:
    """Sell a place and take the money."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    made = frontend.reserve(slot, capture_method="automatic").json()
    stripe_events.deliver_all(sandbox)
    return frontend, Payment.objects.get(pk=made["payment"]["id"])


class TestDispute:
    def test_is_shown_on_the_payment_whose_figures_stay(self, sandbox: Sandbox) -> None:
        frontend, payment = pay(sandbox)
        sandbox.dispute(payment.provider_ref)
        stripe_events.deliver_all(sandbox)
        shown = frontend.get(f"payments/{payment.pk}").json()
        assert (shown["status"], shown["captured_amount"], shown["refunded_amount"]) == ("succeeded", 4500, 0)
        (dispute,) = shown["disputes"]
        assert (dispute["amount"], dispute["currency"], dispute["status"]) == (4500, "USD", "needs_response")
        assert dispute["respond_by"] is not None
        promises.hold()

    @pytest.mark.parametrize("result", ["won", "lost"])
    def test_ends_right_in_every_order_of_its_events(self, sandbox: Sandbox, result: str) -> None:
        _, payment = pay(sandbox)
        dispute = sandbox.dispute(payment.provider_ref)
        sandbox.close_dispute(dispute["id"], result=result)
        events = [event for event in stripe_events.happened(sandbox) if event["type"].startswith("charge.dispute.")]
        for number, order in enumerate(permutations(events)):
            of_this_order = {"id": f"dp_{number}"}
            for event in order:
                told = {"id": f"{event['id']}_{number}", "data": {"object": event["data"]["object"] | of_this_order}}
                assert stripe_events.deliver(event | told).status_code == 200
            found = Dispute.objects.get(provider_ref=of_this_order["id"])
            assert (found.status, found.is_closed) == (result, True), [event["type"] for event in order]

    def test_is_told_to_the_operators_staff_once(self, sandbox: Sandbox, mailoutbox: list[mail.EmailMessage]) -> None:
        _, payment = pay(sandbox)
        person = User.objects.create_user("marta", email="marta@example.com", is_staff=True)
        Member.objects.create(user=person, operator=payment.operator)
        User.objects.create_user("stranger", email="stranger@example.com", is_staff=True)
        sandbox.dispute(payment.provider_ref)
        stripe_events.deliver_all(sandbox)
        registry.run("send_mails")
        stripe_events.deliver_all(sandbox)
        registry.run("send_mails")
        (message,) = [found for found in mailoutbox if found.to == ["marta@example.com"]]
        assert payment.provider_ref in message.subject
        assert "$45.00" in message.body

    def test_of_an_unknown_payment_is_kept(self, sandbox: Sandbox) -> None:
        frontend, payment = pay(sandbox)
        sandbox.dispute(payment.provider_ref)
        event = stripe_events.only(sandbox, "charge.dispute.created")
        told = event["data"]["object"] | {"payment_intent": "pi_foreign"}
        stripe_events.deliver(event | {"data": {"object": told}})
        assert Dispute.objects.count() == 0
        assert frontend.get(f"payments/{payment.pk}").json()["disputes"] == []
