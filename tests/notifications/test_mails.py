"""Mails: each once for what has happened, in the guest's language and the place's time, however bad the mail server."""

import itertools
import smtplib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.db.models import F

from booking import cancelling, carrying_out, expiring
from booking.models import History, Reservation, Slot
from common import ids
from notifications import rendering, sending, writing
from notifications.models import Mail, MailKind
from payments.models import Payment
from sweeps import registry
from tenants.models import Language, Operator, User
from tests import stripe_events
from tests.aging import run_out
from tests.api import Frontend
from tests.factories import SlotFactory
from tests.sandbox_client import Sandbox
from tests.threads import race

pytestmark = pytest.mark.django_db(transaction=True)

GUESTS = (
    MailKind.PAID, MailKind.FAILED, MailKind.EXPIRED, MailKind.REFUNDED, MailKind.LATE_SEATED, MailKind.LATE_REFUNDED,
    MailKind.PART_RETURNED,
)  # fmt: skip


@pytest.fixture
def slot() -> Slot:
    """A departure in Lisbon at nine o'clock, when it is summer there."""
    starts = datetime(2027, 7, 1, 8, 0, tzinfo=UTC)
    return SlotFactory.create(starts_at=starts, capacity=5)


def reserve(slot: Slot, *, language: str = "", **more: Any) -> tuple[Frontend, str]:
    """Reserve for a guest who speaks a language."""
    frontend = Frontend.of(slot)
    guest = {"name": "Ana Souza", "email": "ana@example.com"} | ({"language": language} if language else {})
    answer = frontend.reserve(slot, customer=guest, **more)
    assert answer.status_code == 201, answer.content
    return frontend, answer.json()["reservation"]["id"]


def pay(slot: Slot, sandbox: Sandbox, **more: Any) -> tuple[Frontend, str]:
    """Reserve and pay."""
    frontend, made = reserve(slot, capture_method="automatic", **more)
    stripe_events.deliver_all(sandbox)
    return frontend, made


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
        carrying_out.send_due()
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
        operator = slot.resource.operator
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


class TestOnce:
    def test_however_often_and_by_however_many(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        for _ in range(3):
            pay(slot, sandbox)
        race([lambda: registry.run("send_mails")] * 4)
        registry.run("send_mails")
        assert len(mailoutbox) == 3
        assert Mail.objects.filter(status="sent").count() == 3

    def test_what_happened_long_ago_is_not_told(self, slot: Slot, sandbox: Sandbox) -> None:
        pay(slot, sandbox)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE booking_history DISABLE TRIGGER USER")
            History.objects.update(at=F("at") - timedelta(days=3))
            cursor.execute("ALTER TABLE booking_history ENABLE TRIGGER USER")
        assert writing.write_due() == 0

    def test_who_dies_after_handing_it_over_sends_the_same_message(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pay(slot, sandbox)

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(sending, "_note", die)
            with pytest.raises(KeyboardInterrupt):
                registry.run("send_mails")
        assert registry.run("send_mails") == 0  # its lease is not over
        Mail.objects.update(next_attempt_at=F("next_attempt_at") - timedelta(hours=1))
        assert registry.run("send_mails") == 1
        first, second = mailoutbox
        assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]

    def test_a_person_can_have_it_sent_again(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage]
    ) -> None:
        pay(slot, sandbox)
        registry.run("send_mails")
        sending.send_again(mail_id=Mail.objects.get().pk)
        registry.run("send_mails")
        first, second = mailoutbox
        assert first.extra_headers["Message-ID"] != second.extra_headers["Message-ID"]


class TestBadServer:
    def test_one_that_is_down_delays_mails_and_nothing_else(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            pay(slot, sandbox)
        tried = []

        def refuse(self: EmailBackend, messages: Any) -> int:
            tried.extend(messages)
            raise ConnectionRefusedError("no mail server")

        with monkeypatch.context() as patched:
            patched.setattr(EmailBackend, "send_messages", refuse)
            assert registry.run("send_mails") == 0
        assert len(tried) == 1, "the first that is not taken ends the run"
        assert set(Reservation.objects.values_list("status", flat=True)) == {"paid"}
        waiting = Mail.objects.get(attempts=1)
        assert (waiting.status, waiting.last_error) == ("waiting", "ConnectionRefusedError: no mail server")
        Mail.objects.update(next_attempt_at=F("created_at"))
        assert registry.run("send_mails") == 3
        assert len(mailoutbox) == 3

    def test_an_address_that_is_refused_is_given_up_and_stops_no_other(
        self, slot: Slot, sandbox: Sandbox, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(2):
            pay(slot, sandbox)
        writing.write_due()
        bad = Mail.objects.order_by("next_attempt_at").first()
        assert bad is not None
        Mail.objects.filter(pk=bad.pk).update(to=["gone@example.com"])
        send = EmailBackend.send_messages

        def refuse(self: EmailBackend, messages: Any) -> int:
            if messages[0].to == ["gone@example.com"]:
                raise smtplib.SMTPRecipientsRefused({"gone@example.com": (550, b"no such user")})
            return send(self, messages)

        monkeypatch.setattr(EmailBackend, "send_messages", refuse)
        assert registry.run("send_mails") == 1
        bad.refresh_from_db()
        assert (bad.status, bad.last_error) == ("given_up", "the server refuses the address")
        assert "gone@example.com" not in bad.last_error
