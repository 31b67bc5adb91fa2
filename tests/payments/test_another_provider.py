"""A second provider goes all the way: reserved, paid later, late, given back, reconciled (``tests/support/pix.py``)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from booking.models import Reservation
from catalogue.models import Slot
from payments.models import Command, Payment, Refund
from payments.providers.base import EventHistory, FindsByKey, Holds, Ledger, LooksUp, Payouts, Provider
from sweeps import registry as sweeps
from tests.support import pix, pix_objects, promises
from tests.support.aging import end_leases, run_out
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.pix import PixProvider
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event, Notice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(name="provider")
def _provider(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[PixProvider]:
    with pix.playing(monkeypatch) as provider:
        yield provider


@pytest.fixture(name="slot")
def _slot(provider: PixProvider) -> Slot:
    """A departure of an operator who has an account at the second provider."""
    return SlotFactory.create(activity__currency="BRL", capacity=1)


@pytest.fixture(name="frontend")
def _frontend(slot: Slot) -> Frontend:
    return Frontend.of(slot)


def heard(provider: PixProvider) -> None:
    """Have every payment notified, and looked up."""
    for ref in provider.payments:
        assert pix.notify(ref) == 200
    sweeps.run("look_up_notices")


def reserve(frontend: Frontend, slot: Slot) -> Reservation:
    answer = pix.reserve(frontend, slot)
    assert answer.status_code == 201, answer.content
    return Reservation.objects.get(pk=answer.json()["reservation"]["id"])


def status(reservation: Reservation) -> tuple[str, str, int, int]:
    reservation = Reservation.objects.get(pk=reservation.pk)
    payment = reservation.payments[-1]
    return reservation.status, payment.status, payment.amount_captured, payment.amount_refunded


class TestWhatItIs:
    def test_a_provider_with_a_ledger_and_look_ups_and_nothing_else(self) -> None:
        provider: Provider = pix.make()
        assert isinstance(provider, Ledger)
        assert isinstance(provider, LooksUp)
        assert not isinstance(provider, Holds | FindsByKey | EventHistory | Payouts)


class TestReserving:
    def test_a_code_is_shown_and_the_money_comes_later(
        self, provider: PixProvider, slot: Slot, frontend: Frontend
    ) -> None:
        answer = pix.reserve(frontend, slot).json()
        reservation = Reservation.objects.get()
        assert (answer["reservation"]["status"], answer["payment"]["status"]) == ("awaiting_payment", "requires_action")
        assert answer["payment"]["next_action"] == {"type": "pix", "qr_code": pix_objects.CODE}
        assert provider.pay()["transaction_amount"] == "45.00"
        heard(provider)
        assert status(reservation) == ("paid", "succeeded", 4500, 0)
        event = Event.objects.get()
        assert (event.source, event.secret_name, event.payload["status"]) == ("looked_up", "PIX_API_KEY", "approved")
        assert Notice.objects.get().event == event
        promises.hold()

    def test_who_pays_and_by_when_is_frozen_and_sent_again_as_it_was(
        self, provider: PixProvider, slot: Slot, frontend: Frontend
    ) -> None:
        provider.loses_answers = True
        assert pix.reserve(frontend, slot).status_code == 202
        frozen = Command.objects.get().parameters
        expires = Reservation.objects.get().expires_at
        assert expires is not None
        assert frozen["payer"] == {"name": "Ana Souza", "email": "ana@example.com"}
        assert frozen["expires_at"] == expires.isoformat().replace("+00:00", "Z")
        Reservation.objects.update(expires_at=F("expires_at") + timedelta(minutes=5), customer_name="Eva")
        provider.payments.clear()  # it never came there
        provider.loses_answers = False
        end_leases()
        sweeps.run("send_commands")
        assert provider.asked == [frozen, frozen]

    def test_a_hold_is_refused_before_anything_is_stored(
        self, provider: PixProvider, slot: Slot, frontend: Frontend
    ) -> None:
        asked = {"provider": "pix", "capture_method": "manual", "payment_method_id": "pix"}
        error = frontend.reserve(slot, payment=asked).json()["error"]
        assert (error["code"], error["param"]) == ("invalid_choice", "payment.capture_method")
        assert error["message"] == "pix cannot hold money: use the capture method automatic."
        assert (Reservation.objects.count(), provider.payments) == (0, {})

    def test_limits_are_its_own(self, provider: PixProvider) -> None:
        for currency, rate, code in (("USD", 4500, "invalid_currency"), ("BRL", 10_000_001, "invalid_amount")):
            slot = SlotFactory.create(activity__currency=currency, activity__rates={"adult": rate})
            assert pix.reserve(Frontend.of(slot), slot).json()["error"]["code"] == code
        assert provider.payments == {}

    def test_what_a_command_of_a_forgotten_key_has_made_is_found_by_our_id(
        self, provider: PixProvider, slot: Slot, frontend: Frontend
    ) -> None:
        provider.loses_answers = True
        pix.reserve(frontend, slot)
        Command.objects.update(first_sent_at=F("first_sent_at") - timedelta(days=2))
        Reservation.objects.update(expires_at=timezone.now() + timedelta(hours=1))
        (row,) = provider.payments.values()
        row["key"] = "forgotten"
        provider.loses_answers = False
        end_leases()
        sweeps.run("send_commands")
        assert len(provider.payments) == 1
        assert Payment.objects.get().provider_ref == row["id"]

    def test_of_the_payments_api(self, provider: PixProvider, frontend: Frontend) -> None:
        body = {"amount": 2599, "currency": "BRL", "customer_id": "guest-7", "payment_method_id": "pix"}
        made = frontend.post("payment_intents", body).json()
        assert Command.objects.get().parameters["payer"] == {"reference": "guest-7"}
        assert (made["status"], made["provider"]) == ("requires_confirmation", "pix")
        held = frontend.post("payment_intents", body | {"capture_method": "manual"}).json()["error"]
        assert (held["code"], held["param"]) == ("invalid_choice", "capture_method")
        assert frontend.patch(f"payment_intents/{made['id']}/confirm").status_code == 202
        sweeps.run("send_commands")
        assert Payment.objects.get().status == "requires_action"
        provider.pay()
        heard(provider)
        assert Payment.objects.get().status == "succeeded"
        promises.hold()


class TestEnding:
    def test_cancelling_closes_the_code(self, provider: PixProvider, slot: Slot, frontend: Frontend) -> None:
        reservation = reserve(frontend, slot)
        assert frontend.post(f"reservations/{reservation.pk}/cancel").status_code == 200
        sweeps.run("send_commands")
        assert [row["status"] for row in provider.payments.values()] == ["cancelled"]
        assert status(reservation) == ("cancelled", "canceled", 0, 0)
        promises.hold()

    def test_expiry_closes_the_code(self, provider: PixProvider, slot: Slot, frontend: Frontend) -> None:
        reservation = reserve(frontend, slot)
        run_out(reservation.pk)
        sweeps.run("expire_reservations")
        assert [row["status"] for row in provider.payments.values()] == ["cancelled"]
        assert status(reservation)[:2] == ("expired", "canceled")
        promises.hold()

    @pytest.mark.parametrize("is_taken", [False, True], ids=["room", "sold out"])
    def test_money_that_comes_late(
        self, provider: PixProvider, slot: Slot, frontend: Frontend, *, is_taken: bool
    ) -> None:
        """The guest pays at the moment at which the hold ends: the code cannot be closed any more."""
        reservation = reserve(frontend, slot)
        run_out(reservation.pk)
        provider.pay()
        sweeps.run("expire_reservations")
        if is_taken:
            reserve(frontend, slot)
        first = next(iter(provider.payments))
        assert pix.notify(first) == 200
        sweeps.run("look_up_notices")
        if not is_taken:
            assert status(reservation) == ("paid", "succeeded", 4500, 0)
            return
        sweeps.run("send_commands")
        provider.finish_refunds()
        assert pix.notify(first) == 200
        sweeps.run("look_up_notices")
        assert status(reservation)[0] == "expired"
        assert status(reservation)[2:] == (4500, 4500)
        promises.hold()


class TestGivingBack:
    def paid(self, provider: PixProvider, slot: Slot, frontend: Frontend) -> Reservation:
        reservation = reserve(frontend, slot)
        provider.pay()
        heard(provider)
        return reservation

    @pytest.mark.parametrize(("end", "there", "here"), [("approved", "succeeded", 4500), ("rejected", "failed", 0)])
    def test_a_refund_is_on_its_way_and_arrives_or_not(
        self, provider: PixProvider, slot: Slot, frontend: Frontend, end: str, there: str, here: int
    ) -> None:
        reservation = self.paid(provider, slot, frontend)
        frontend.post("refunds", {"payment_id": str(reservation.payment_id)})
        sweeps.run("send_commands")
        heard(provider)
        assert Refund.objects.get().status == "pending"
        provider.finish_refunds(end)
        heard(provider)
        refund = Refund.objects.get()
        assert (refund.status, status(reservation)[3]) == (there, here)
        promises.hold()

    def test_a_refund_whose_answer_was_lost_and_key_forgotten_is_found_by_our_id(
        self, provider: PixProvider, slot: Slot, frontend: Frontend
    ) -> None:
        reservation = self.paid(provider, slot, frontend)
        frontend.post("refunds", {"payment_id": str(reservation.payment_id)})
        provider.loses_answers = True
        sweeps.run("send_commands")
        Command.objects.filter(kind="refund").update(first_sent_at=F("first_sent_at") - timedelta(days=2))
        (row,) = provider.payments.values()
        row["refunds"][0]["key"] = "forgotten"
        provider.loses_answers = False
        end_leases()
        sweeps.run("send_commands")
        assert [given["id"] for given in row["refunds"]] == [Refund.objects.get().provider_ref]

    def test_one_event_tells_of_the_money_and_of_what_was_given_back_of_it(
        self, provider: PixProvider, slot: Slot, frontend: Frontend
    ) -> None:
        """Nothing was heard while somebody gave the money back at the provider's own pages: one look tells both."""
        reservation = reserve(frontend, slot)
        row = provider.pay()
        ours = {"refund_id": "00000000-0000-0000-0000-000000000001", "amount": 4500}
        provider.refund(ref=row["id"], parameters=ours, key="by hand", account="")
        provider.finish_refunds()
        heard(provider)
        assert status(reservation) == ("refunded", "succeeded", 4500, 4500)
        event = Event.objects.get()
        assert (event.status, event.effect, event.captured_amount) == ("applied", "applied", 4500)
        promises.hold()

    def test_an_event_whose_second_outcome_cannot_be_applied_applies_nothing(
        self, provider: PixProvider, slot: Slot, frontend: Frontend
    ) -> None:
        reservation = reserve(frontend, slot)
        row = provider.pay()
        too_much = {"refund_id": "00000000-0000-0000-0000-000000000001", "amount": 9900}
        provider.refund(ref=row["id"], parameters=too_much, key="by hand", account="")
        provider.finish_refunds()
        heard(provider)
        assert status(reservation) == ("awaiting_payment", "requires_action", 0, 0)
        assert Event.objects.get().status in ("orphaned", "failed")
        assert Refund.objects.count() == 0
        promises.hold()
