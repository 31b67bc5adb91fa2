"""Mails to the staff."""

import pytest
from django.core.mail import EmailMessage

from notifications.models import Mail
from reconciliation import discrepancies
from reconciliation.accounts import Account
from reconciliation.models import Discrepancy, DiscrepancyKind
from sweeps import registry
from tenants.models import Member, Operator, User
from tests.support.factories import OperatorFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


class TestStaff:
    def test_all_that_is_new_is_told_in_one_mail(self, sandbox: Sandbox, mailoutbox: list[EmailMessage]) -> None:
        operator, other = OperatorFactory.create(name="Kayaks"), OperatorFactory.create()
        person = User.objects.create_user("marta", email="marta@example.com", is_staff=True)
        Member.objects.create(user=person, operator=operator)
        for number in range(30):
            open_one(operator, f"pi_{number}")
        open_one(other, "pi_other")
        registry.run("send_mails")
        registry.run("send_mails")
        (message,) = mailoutbox
        assert message.to == ["marta@example.com"]
        assert "30" in message.subject
        assert "pi_0 — differs" in message.body
        assert "pi_other" not in message.body

    def test_who_has_nobody_to_tell_is_noted(self, mailoutbox: list[EmailMessage]) -> None:
        open_one(OperatorFactory.create(), "pi_1")
        registry.run("send_mails")
        mail = Mail.objects.get()
        assert (mailoutbox, mail.status, mail.last_error) == ([], "given_up", "nobody of the staff has a mail address")

    def test_what_is_nobodys_is_told_to_superusers(self, mailoutbox: list[EmailMessage]) -> None:
        User.objects.create_superuser("root", email="root@example.com")
        open_one(None, "pi_foreign")
        registry.run("send_mails")
        assert [message.to for message in mailoutbox] == [["root@example.com"]]


def open_one(operator: Operator | None, subject: str) -> None:
    """Open a discrepancy of an operator."""
    discrepancies.open_once(
        kind=DiscrepancyKind.AMOUNT, account=Account("stripe"), subject=subject, summary="differs",
        difference={}, seen={},
    )  # fmt: skip
    Discrepancy.objects.filter(subject=subject).update(operator=operator)
