"""Mails are sent once for what has happened, however bad the mail server."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.db.models import F

from booking.models import History, Reservation
from catalogue.models import Slot
from notifications import sending, writing
from notifications.models import Mail
from sweeps import registry
from tests.notifications.guests import pay
from tests.support.aging import end_leases
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)


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
            patched.setattr(sending, "_record", die)
            with pytest.raises(KeyboardInterrupt):
                registry.run("send_mails")
        assert registry.run("send_mails") == 0  # its lease is not over
        end_leases()
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
