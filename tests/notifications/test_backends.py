"""The ways out: each that can be configured takes a mail of ours, SMTP over a real connection."""

import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from anymail.backends.amazon_ses import EmailBackend as AmazonSes
from anymail.backends.sendgrid import EmailBackend as SendGrid
from django.core.mail import get_connection
from django.db.models.functions import Now
from pytest_django import Settings

from config.mail import BACKENDS
from notifications import sending
from notifications.models import Mail
from tests.support.factories import OperatorFactory

pytestmark = pytest.mark.django_db(transaction=True)


class Postman(socketserver.StreamRequestHandler):
    """Speaks as much SMTP as it takes to be given a mail."""

    def handle(self) -> None:
        """Take mails until the client leaves."""
        taken: list[str] = self.server.taken  # type: ignore[attr-defined]  # of the fixture
        self.wfile.write(b"220 postman\r\n")
        while line := self.rfile.readline().decode():
            command = line[:4].upper().strip()
            if command == "DATA":
                self.wfile.write(b"354 go on\r\n")
                body = []
                while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
                    body.append(line)
                taken.append("".join(body))
            self.wfile.write(b"221 bye\r\n" if command == "QUIT" else b"250 ok\r\n")
            if command == "QUIT":
                return


@pytest.fixture
def taken(settings: Settings) -> Iterator[list[str]]:
    """Run a mail server; gives what it was handed."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Postman) as server:
        server.taken = []  # type: ignore[attr-defined]  # for the handler
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        settings.EMAIL_BACKEND = BACKENDS["SMTP"]
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.server_address[1], False
        settings.DEFAULT_FROM_EMAIL = "Kayaks <hello@example.com>"
        yield server.taken  # type: ignore[attr-defined]
        server.shutdown()


def write(cause: str, *, days: int = 0) -> Mail:
    """Write a mail to the staff, so many days ago."""
    return Mail.objects.create(
        kind="person_needed", cause=cause, to=["marta@example.com"], language="pt", operator=OperatorFactory.create(),
        facts={"number": 1, "found": [{"subject": "pi_1", "summary": "difere"}], "operator": "Caiaques"},
        created_at=Now() - timedelta(days=days), next_attempt_at=Now(),
    )  # fmt: skip


def test_smtp_takes_all_over_one_connection(taken: list[str]) -> None:
    mails = [write("one"), write("two")]
    assert sending.send_due() == 2
    for mail, body in zip(mails, taken, strict=True):
        assert f"<{mail.pk}.1@example.com>" in body
        assert "To: marta@example.com" in body
        assert "text/html" in body


def test_smtp_that_nobody_answers_leaves_them_waiting(settings: Settings) -> None:
    settings.EMAIL_BACKEND = BACKENDS["SMTP"]
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", 9, False
    new, old = write("new"), write("old", days=4)
    assert sending.send_due() == 0
    assert sending.send_due() == 0
    new.refresh_from_db()
    old.refresh_from_db()
    assert (new.status, new.last_error.split(":")[0]) == ("waiting", "ConnectionRefusedError")
    assert old.status == "given_up", "after three days"


def test_the_services_are_there(settings: Settings) -> None:
    settings.ANYMAIL = {"SENDGRID_API_KEY": "SG.x", "AMAZON_SES_CLIENT_PARAMS": {"region_name": "eu-west-1"}}
    assert isinstance(get_connection(BACKENDS["SES"]), AmazonSes)
    assert isinstance(get_connection(BACKENDS["SENDGRID"]), SendGrid)
