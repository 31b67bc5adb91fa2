"""Exports: JSON, of the person's own operators, filtered as the list is, and streamed."""

import json

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from adminkit.pages import ScopedAdmin
from booking.models import Reservation
from catalogue.models import Slot
from payments.models import Payment
from reconciliation.models import LedgerEntry
from tests.support.api import Frontend
from tests.support.desk import export, list_of, sign_in
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slot(sandbox: Sandbox) -> Slot:
    """A departure with two reservations, one of them canceled."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    frontend.reserve(slot)
    made = frontend.reserve(slot).json()["reservation"]["id"]
    frontend.post(f"reservations/{made}/cancel")
    return slot


class TestExport:
    def test_tells_what_was_sold_and_paid(self, slot: Slot) -> None:
        first, second = export(sign_in(operator=slot.activity.operator), Reservation)
        assert {first["status"], second["status"]} == {"pending", "cancelled"}
        assert (first["amount"], first["currency"], first["customer_name"]) == (45.0, "USD", "Ana Souza")
        assert first["created_at"].endswith("Z")
        assert first["payment__provider_ref"].startswith("pi_")

    def test_is_filtered_as_the_list_is(self, slot: Slot) -> None:
        client = sign_in(operator=slot.activity.operator)
        (only,) = export(client, Reservation, status__exact="cancelled")
        assert only["status"] == "cancelled"
        assert export(client, Reservation, q="nobody") == []
        page = client.get(list_of(Reservation), {"status__exact": "cancelled"}).content.decode()
        assert "export/?status__exact=cancelled" in page
        assert client.get(f"{list_of(Reservation)}export/", {"no_such": "filter"}).status_code == 400

    def test_has_nothing_of_another_operators(self, slot: Slot) -> None:
        stranger = sign_in(operator=OperatorFactory.create())
        for model, page in admin.site._registry.items():
            if isinstance(page, ScopedAdmin) and page.export_fields and model is not LedgerEntry:
                assert export(stranger, model) == [], model
        assert stranger.get(f"{list_of(LedgerEntry)}export/").status_code == 403

    def test_is_for_staff(self, slot: Slot) -> None:
        assert Client().get(f"{list_of(Reservation)}export/").status_code == 302

    def test_costs_the_same_for_many_rows(self, slot: Slot) -> None:
        client = sign_in(operator=slot.activity.operator)
        Slot.objects.update(capacity=50)
        costs = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                export(client, Reservation)
            costs.append(len(captured))
            for _ in range(10):
                Frontend.of(slot).reserve(slot)
        assert costs[0] == costs[1]

    def test_has_no_secret_and_is_every_lists_own(self, slot: Slot) -> None:
        root = sign_in(operator=None)
        told = json.dumps([export(root, model) for model in (Payment, Slot)])
        assert "client_secret" not in told
        exported = [page for page in admin.site._registry.values() if getattr(page, "export_fields", ())]
        assert len(exported) >= 7
