"""The backoffice: what staff see, what they cannot write, and what they can have done for a reason."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from booking.models import History, Reservation
from catalogue.models import Slot
from payments.models import Command, Payment
from sweeps import registry as sweeps
from tenants import api_keys
from tenants.models import ApiClient, Operator, User
from tests.support import promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.desk import act, list_of, page_of, sign_in
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

OURS = (
    "booking",
    "catalogue",
    "payments",
    "webhooks",
    "reconciliation",
    "notifications",
    "tenants",
    "sweeps",
    "adminkit",
)


@pytest.fixture
def slot(sandbox: Sandbox) -> Slot:
    return SlotFactory.create()


@pytest.fixture
def held(slot: Slot) -> Reservation:
    made = Frontend.of(slot).reserve(slot).json()["reservation"]
    return Reservation.objects.get(pk=made["id"])


@pytest.fixture
def rows(held: Reservation, sandbox: Sandbox) -> list[Any]:
    """One row of every kind that the backoffice shows."""
    stripe_events.deliver_all(sandbox)
    sweeps.run("send_commands")
    client = ApiClient.objects.get()
    operator = held.operator
    found = [held, held.payment, Command.objects.get(), Event.objects.all()[0], held.slot, held.activity, operator]
    return [*found, client]


class TestLooking:
    def test_every_list_and_page_opens(self, rows: list[Any]) -> None:
        client = sign_in(operator=None)
        for model in [model for model in admin.site._registry if model._meta.app_label in OURS]:
            assert client.get(list_of(model)).status_code == 200
            assert client.get(list_of(model), {"q": "abc"}).status_code == 200
        for row in rows:
            assert client.get(page_of(row)).status_code == 200, row

    def test_the_timeline_explains_a_sale(self, held: Reservation, sandbox: Sandbox) -> None:
        assert held.slot is not None
        Frontend.of(held.slot).post(f"reservations/{held.pk}/confirm")
        stripe_events.deliver_all(sandbox)
        page = sign_in(operator=held.operator).get(page_of(held)).content.decode()
        told = [
            "new → awaiting_payment",
            "the provider to hold 45.00 USD on the card",
            "awaiting_payment → pending",
            "pending → confirmed",
            "the provider to take the 45.00 USD that are held",
            "payment_intent.succeeded: applied",
            "confirmed → paid",
        ]
        places = [page.index(text) for text in told]
        assert places == sorted(places)

    @pytest.mark.parametrize("number", [1, 6])
    def test_a_list_costs_the_same_for_many_rows(self, slot: Slot, number: int) -> None:
        frontend = Frontend.of(slot)
        Slot.objects.update(capacity=number)
        for _ in range(number):
            assert frontend.reserve(slot).status_code == 201
        client = sign_in(operator=slot.activity.operator)
        sent = {}
        for model in (Reservation, Payment, Command, Slot):
            with CaptureQueriesContext(connection) as captured:
                client.get(list_of(model))
            sent[model.__name__] = len(captured)
        assert sent == {"Reservation": 9, "Payment": 8, "Command": 8, "Slot": 9}

    def test_no_secret_and_no_payload_is_shown(self, rows: list[Any]) -> None:
        client = sign_in(operator=None)
        key = ApiClient.objects.get()
        event = next(row for row in rows if isinstance(row, Event))
        assert key.key_hash
        assert key.key_hash not in client.get(page_of(key)).content.decode()
        assert "client_secret" not in client.get(page_of(event)).content.decode()
        payment = Payment.objects.get()
        assert payment.client_secret
        assert payment.client_secret not in client.get(page_of(payment)).content.decode()


class TestScope:
    def test_another_operators_rows_are_not_there(self, rows: list[Any]) -> None:
        client = sign_in(operator=OperatorFactory.create())
        for row in rows:
            if not isinstance(row, Operator | ApiClient):
                listed = client.get(list_of(type(row)))
                assert listed.context["cl"].result_count == 0, row
            answer = client.get(page_of(row))
            assert answer.status_code in (302, 403), row  # "doesn't exist", back to the index; or not for staff

    def test_another_operators_rows_cannot_be_acted_on(self, held: Reservation) -> None:
        act(sign_in(operator=OperatorFactory.create()), held, "cancel", "because")
        held.refresh_from_db()
        assert held.status == "pending"

    def test_filters_and_choices_do_not_tell_of_others(self, held: Reservation) -> None:
        other = SlotFactory.create(activity__name="Mine", activity__operator=OperatorFactory.create())
        client = sign_in(operator=other.activity.operator)
        for path in (list_of(Reservation), list_of(Slot), reverse("admin:catalogue_slot_add")):
            assert held.activity.name not in client.get(path).content.decode()

    def test_staff_without_an_operator_see_nothing(self, held: Reservation) -> None:
        client = Client()
        client.force_login(User.objects.create_user("nobody", is_staff=True))
        assert client.get(list_of(Reservation)).context["cl"].result_count == 0


class TestWriting:
    def test_states_and_money_cannot_be_written(self, rows: list[Any]) -> None:
        client = sign_in(operator=None)
        for row in rows:
            if isinstance(row, Slot | Operator) or row._meta.model_name == "activity":
                continue
            before = type(row).objects.filter(pk=row.pk).values().get()
            answer = client.post(page_of(row), {"status": "paid", "amount": "1", "amount_captured": "4500"})
            assert answer.status_code == 403, row
            assert type(row).objects.filter(pk=row.pk).values().get() == before

    def test_nothing_is_added_or_deleted(self, rows: list[Any]) -> None:
        client = sign_in(operator=None)
        for row in rows:
            meta = row._meta
            delete = reverse(f"admin:{meta.app_label}_{meta.model_name}_delete", args=[row.pk])
            assert client.post(delete, {"post": "yes"}).status_code in (302, 403)
            assert type(row).objects.filter(pk=row.pk).exists()
        for model in (Reservation, Payment, Command, Event):
            assert client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")).status_code == 403

    def test_a_slot_keeps_what_was_sold_while_its_form_was_open(self, slot: Slot) -> None:
        client = sign_in(operator=slot.activity.operator)
        Frontend.of(slot).reserve(slot)
        answer = client.post(page_of(slot), {"capacity": "9", "reserved": "0", "is_closed": "on"})
        assert answer.status_code == 302
        slot.refresh_from_db()
        assert (slot.capacity, slot.reserved, slot.is_closed) == (9, 1, False)
        promises.hold()

    def test_a_capacity_below_what_is_sold_is_refused(self, slot: Slot) -> None:
        client = sign_in(operator=slot.activity.operator)
        Frontend.of(slot).reserve(slot, adults=3)
        answer = client.post(page_of(slot), {"capacity": "2"})
        assert "The capacity is below the 3 places that are sold or held." in answer.content.decode()
        slot.refresh_from_db()
        assert slot.capacity == 5


class TestActions:
    def test_a_reason_is_asked_for_first(self, held: Reservation) -> None:
        client = sign_in(operator=held.operator)
        for reason in (None, "", "   "):
            page = act(client, held, "cancel", reason)
            assert 'name="reason"' in page.content.decode()
        held.refresh_from_db()
        assert held.status == "pending"

    def test_cancel(self, held: Reservation, sandbox: Sandbox) -> None:
        act(sign_in(operator=held.operator), held, "cancel", "the wind")
        held.refresh_from_db()
        assert held.status == "cancelled"
        last = History.objects.filter(reservation=held).latest("id")
        assert (last.actor, last.reason) == (f"user:person-of-{held.operator.slug}", "the wind")
        assert sandbox.payment_intents()[0]["status"] == "canceled"
        promises.hold(at_provider=True)

    def test_confirm(self, held: Reservation, sandbox: Sandbox) -> None:
        act(sign_in(operator=held.operator), held, "confirm", "called by phone")
        held.refresh_from_db()
        assert held.status == "confirmed"
        assert sandbox.payment_intents()[0]["status"] == "succeeded"

    def test_what_cannot_be_done_is_told_and_changes_nothing(self, held: Reservation) -> None:
        client = sign_in(operator=held.operator)
        act(client, held, "confirm", "called by phone")
        page = act(client, held, "cancel", "changed their mind")
        assert "A reservation that is confirmed cannot become cancelled." in page.content.decode()
        held.refresh_from_db()
        assert held.status == "confirmed"

    def test_close_and_open_a_slot(self, slot: Slot) -> None:
        client, frontend = sign_in(operator=slot.activity.operator), Frontend.of(slot)
        act(client, slot, "close", "storm")
        assert frontend.reserve(slot).json()["error"]["code"] == "slot_closed"
        act(client, slot, "reopen", "it is over")
        assert frontend.reserve(slot).status_code == 201

    def test_an_event_is_tried_again(self, held: Reservation, sandbox: Sandbox) -> None:
        assert held.slot is not None
        Frontend.of(held.slot).post(f"reservations/{held.pk}/confirm")
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        stripe_events.deliver(event | {"id": "evt_of_nobody", "account": "acct_x"})
        kept = Event.objects.get()
        act(sign_in(operator=None), kept, "retry", "looked at it")
        kept.refresh_from_db()
        assert kept.attempts == 2

    def test_a_stuck_command_is_tried_again(self, slot: Slot, sandbox: Sandbox) -> None:
        sandbox.fault("POST /v1/payment_intents", "error_before", times=5)
        Frontend.of(slot).reserve(slot)
        for _ in range(5):
            end_leases()
            sweeps.run("send_commands")
        command = Command.objects.get()
        assert command.payment.stuck_at is not None
        act(sign_in(operator=slot.activity.operator), command, "try_again", "the provider is back")
        sweeps.run("send_commands")
        assert Reservation.objects.get().status == "pending"
        assert Payment.objects.get().stuck_at is None
        promises.hold(at_provider=True)

    def test_a_key_is_shown_once_and_can_be_revoked(self, slot: Slot) -> None:
        client = sign_in(operator=None)
        body = {"operator": str(slot.activity.operator_id), "name": "Shop", "scopes": ["read", "book"]}
        page = client.post(reverse("admin:tenants_apiclient_add"), body, follow=True).content.decode()
        key = page.split("The key, shown only now: ")[1].split("<")[0].strip()
        made = api_keys.find_client(key)
        assert made is not None
        assert made.scopes == ["read", "book"]
        assert key not in client.get(page_of(made)).content.decode()
        act(client, made, "revoke", "leaked")
        assert api_keys.find_client(key) is None
