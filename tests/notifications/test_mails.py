"""Mails to guests: in the guest's language and the place's time, of all that happens to a booking."""

import itertools
from uuid import UUID

import pytest
from django.core.mail import EmailMessage

from booking import cancelling, execution, expiring
from booking.models import Reservation
from catalogue.models import Slot
from common import ids
from notifications import rendering, writing
from notifications.models import Mail, MailKind
from payments.models import Payment
from sweeps import registry
from tenants.models import Language, Operator, User
from tests.notifications.guests import pay, reserve
from tests.support import stripe_events
from tests.support.aging import run_out
from tests.support.api import Frontend
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

GUESTS = (
    MailKind.PAID, MailKind.FAILED, MailKind.EXPIRED, MailKind.REFUNDED, MailKind.LATE_SEATED, MailKind.LATE_REFUNDED,
    MailKind.PART_RETURNED,
)  # fmt: skip


class TestGuests:
    def test_a_receipt_has_the_reference_and_the_time_of_the_place(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        pay(slot, sandbox)
        registry.run("send_mails")
        (message,) = mailoutbox
        reservation = Reservation.objects.get()
        assert message.to == ["ana@example.com"]
        assert reservation.reference in message.subject
        for told in (
            reservation.reference,
            "Kayak tour",
            "1 × Adult",
            "$45.00",
            "Thursday, July 1, 2027",
            "9:00",
            "Lisbon",
        ):
            assert told in message.body, told
        ((html, kind),) = message.alternatives  # type: ignore[attr-defined]  # of a message with alternatives
        assert kind == "text/html"
        assert reservation.reference in html

    @pytest.mark.parametrize(
        ("language", "told"),
        [("es", ["Gracias", "jueves, 1 de julio de 2027", "45,00"]), ("pt", ["Obrigado", "quinta-feira, 1 de julho"])],
    )
    def test_is_in_the_guests_language(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage], language: str, told: list[str]
    ) -> None:
        pay(slot, sandbox, language=language)
        registry.run("send_mails")
        assert all(word in mailoutbox[0].body for word in told), mailoutbox[0].body

    def test_is_in_the_operators_language_if_the_guest_has_none(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        Operator.objects.update(language="pt")
        pay(slot, sandbox)
        registry.run("send_mails")
        assert "Obrigado" in mailoutbox[0].body

    def test_a_hold_that_runs_out_is_told(self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]) -> None:
        _, made = reserve(slot)
        run_out(made)
        expiring.expire_due()
        registry.run("send_mails")
        assert [message.subject.split(" (")[0] for message in mailoutbox] == ["Your reservation has run out"]

    def test_a_decline_at_the_screen_is_not_told_again(
        self, slot: Slot, mailoutbox: list[EmailMessage], sandbox: Sandbox
    ) -> None:
        answer = Frontend.of(slot).reserve(slot, card="pm_card_chargeDeclined")
        assert answer.status_code == 422
        registry.run("send_mails")
        assert mailoutbox == []

    def test_a_hold_that_the_bank_voids_is_told(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        reserve(slot)
        sandbox.expire(Payment.objects.get().provider_ref)
        stripe_events.deliver_all(sandbox)
        registry.run("send_mails")
        assert [message.subject.split(" (")[0] for message in mailoutbox] == ["Your payment did not go through"]

    def test_a_refund_is_told_with_its_amount(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        frontend, _ = pay(slot, sandbox)
        frontend.post("refunds", {"payment_id": str(Payment.objects.get().pk), "amount": 1500})
        execution.execute_due()
        stripe_events.deliver_all(sandbox)
        registry.run("send_mails")
        assert sorted(message.subject.split(" (")[0] for message in mailoutbox) == [
            "You're booked: Kayak tour",
            "Your refund of $15.00",
        ]

    @pytest.mark.parametrize(("places_left", "kind"), [(5, "late_seated"), (0, "late_refunded")])
    def test_late_money_is_told(self, slot: Slot, sandbox: Sandbox, places_left: int, kind: str) -> None:
        frontend, made = reserve(slot, card=None, capture_method="automatic")
        late = Payment.objects.get()
        run_out(made)
        expiring.expire_due()
        if not places_left:
            assert frontend.reserve(slot, adults=5).status_code == 201
        sandbox.pay(late.provider_ref)
        stripe_events.deliver_all(sandbox)
        registry.run("send_mails")
        told = Mail.objects.filter(reservation__id=made).order_by("id")
        assert list(told.values_list("kind", flat=True)) == ["expired", kind]

    def test_every_kind_is_written_in_every_language(self, slot: Slot, sandbox: Sandbox) -> None:
        pay(slot, sandbox)
        writing.write_due()
        mail = Mail.objects.get()
        for kind in (*GUESTS, MailKind.CANCELLED, MailKind.CANCELLED_HELD):
            for language, mail.facts["by"] in itertools.product(Language.values, ("guest", "operator")):
                mail.kind, mail.language = kind, language
                message = rendering.message(mail)
                assert mail.facts["reference"] in message.subject
                assert "{" not in f"{message.subject}{message.body}"

    def test_a_guest_who_cancels_is_told_once(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        frontend, made = reserve(slot)
        for _ in range(2):
            frontend.post(f"reservations/{made}/cancel")
            stripe_events.deliver_all(sandbox)
            registry.run("send_mails")
        (message,) = mailoutbox
        assert message.subject.startswith("Your booking is cancelled (")
        assert "As you asked, your booking is cancelled" in message.body
        assert "Nothing was charged." in message.body

    def test_a_guest_is_told_who_has_cancelled(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        _, made = reserve(slot, language="es")
        operator = slot.activity.operator
        User.objects.create_user("marta", is_staff=True)
        cancelling.cancel(
            operator=operator, reservation_id=UUID(made), operation_id=ids.new_id(), actor="user:marta", reason="wind"
        )
        stripe_events.deliver_all(sandbox)
        registry.run("send_mails")
        assert f"{operator.name} ha cancelado tu reserva." in mailoutbox[0].body
        assert "wind" not in mailoutbox[0].body

    def test_that_nothing_was_charged_is_told_when_it_is_proven(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        """The release is not answered yet: of the money nobody knows."""
        frontend, made = reserve(slot)
        sandbox.fault("POST /v1/payment_intents/*/cancel", "error_before", times=5)
        frontend.post(f"reservations/{made}/cancel")
        registry.run("send_mails")
        (message,) = mailoutbox
        assert Payment.objects.get().status == "on_hold"
        assert "Nothing was charged" not in message.body
        assert "We are letting go of the $45.00" in message.body

    def test_what_a_guest_is_called_is_no_markup(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        pay(slot, sandbox)
        Reservation.objects.update(customer_name="<script>alert(1)</script>\r\nBcc: x@example.com {0}")
        registry.run("send_mails")
        html = mailoutbox[0].alternatives[0][0]  # type: ignore[attr-defined]
        assert "<script>" not in html
        assert mailoutbox[0].bcc == []
