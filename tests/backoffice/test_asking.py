"""Actions that need to know more than why: how much is refunded, how much longer a hold lives."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from pytest_django import Settings

from booking.models import History, Reservation
from payments.models import Payment, Refund
from sweeps import registry
from tests.support import promises, stripe_events
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.desk import list_of, sign_in
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def act(client: Client, row: Reservation, action: str, **given: str) -> str:
    """Choose an action with a reason and what else is given; returns the page that comes of it."""
    body = {"action": action, "_selected_action": str(row.pk), "reason": "as agreed", **given}
    return client.post(list_of(Reservation), body, follow=True).content.decode()


def sell(sandbox: Sandbox, **more: Any) -> tuple[Client, Reservation]:
    """Sell a place."""
    slot = SlotFactory.create()
    made = Frontend.of(slot).reserve(slot, **more).json()["reservation"]["id"]
    stripe_events.deliver_all(sandbox)
    return sign_in(operator=slot.activity.operator), Reservation.objects.get(pk=made)


class TestRefund:
    @pytest.mark.parametrize(("amount", "status"), [("", "refunded"), ("45.00", "refunded"), ("12.5", "paid")])
    def test_of_what_is_asked_or_all(self, sandbox: Sandbox, amount: str, status: str) -> None:
        client, row = sell(sandbox, capture_method="automatic")
        assert "is being refunded to Ana Souza." in act(client, row, "refund", amount=amount)
        registry.run("send_commands")
        stripe_events.deliver_all(sandbox)
        row.refresh_from_db()
        assert row.status == status
        assert Refund.objects.get().amount == (1250 if amount == "12.5" else 4500)
        assert Refund.objects.get().requested_by == f"user:person-of-{row.operator.slug}"
        promises.hold(at_provider=True)

    @pytest.mark.parametrize(
        ("amount", "told"),
        [
            ("45.01", "Refund exceeds the remaining 45.00 USD."),
            ("-1", "greater than or equal to 0"),
            ("1.001", "too many decimals"),
            ("x", "Enter a number"),
        ],
    )
    def test_never_of_what_cannot_be(self, sandbox: Sandbox, amount: str, told: str) -> None:
        client, row = sell(sandbox, capture_method="automatic")
        assert told in act(client, row, "refund", amount=amount)
        assert not Refund.objects.exists()

    def test_not_of_what_was_not_taken(self, sandbox: Sandbox) -> None:
        client, row = sell(sandbox)
        assert "cannot become refunded" in act(client, row, "refund", amount="")
        assert not Refund.objects.exists()


class TestExtend:
    def test_a_hold_lives_longer(self, sandbox: Sandbox) -> None:
        client, row = sell(sandbox)
        before = row.expires_at
        assert before is not None
        assert "The hold of Ana Souza lasts until " in act(client, row, "extend", minutes="20")
        row.refresh_from_db()
        assert row.expires_at == before + timedelta(minutes=20)
        note = History.objects.latest("id")
        assert (note.from_status, note.to_status, note.actor) == (
            "pending", "pending", f"user:person-of-{row.operator.slug}",
        )  # fmt: skip
        assert note.reason.startswith("as agreed (the hold lasts until ")
        promises.hold(at_provider=True)

    def test_not_above_the_ceiling(self, sandbox: Sandbox, settings: Settings) -> None:
        client, row = sell(sandbox)
        assert "at the latest" in act(client, row, "extend", minutes="60")
        before = row.expires_at
        row.refresh_from_db()
        assert row.expires_at == before

    def test_not_longer_than_the_provider_holds_the_money(self, sandbox: Sandbox) -> None:
        client, row = sell(sandbox)
        Payment.objects.update(capture_before=Now() + timedelta(minutes=70))
        assert "at the latest" in act(client, row, "extend", minutes="5")

    def test_not_what_has_run_out(self, sandbox: Sandbox) -> None:
        client, row = sell(sandbox)
        run_out(row.pk)
        act(client, row, "extend", minutes="5")
        row.refresh_from_db()
        assert row.status_at(row.created_at + timedelta(days=1)) == "expired"

    def test_not_what_is_paid(self, sandbox: Sandbox) -> None:
        client, row = sell(sandbox, capture_method="automatic")
        assert "cannot become extended" in act(client, row, "extend", minutes="5")

    @pytest.mark.parametrize("minutes", ["", "0", "-5", "1.5", "99999999"])
    def test_not_by_nonsense(self, sandbox: Sandbox, minutes: str) -> None:
        client, row = sell(sandbox)
        page = act(client, row, "extend", minutes=minutes)
        assert "hf-error" in page
        before = row.expires_at
        row.refresh_from_db()
        assert row.expires_at == before
