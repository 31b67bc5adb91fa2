"""Disputes, mails and what people did are kept: none is deleted or rewritten, by nobody (P11)."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import DatabaseError, connection
from django.db.models import Model

from notifications.models import Mail
from payments.models import Dispute
from sweeps import registry
from tenants.models import Member, User
from tests.support import stripe_events
from tests.support.api import Frontend
from tests.support.desk import act, sign_in
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

KEPT: tuple[type[Model], ...] = (Dispute, Mail, LogEntry)


@pytest.fixture
def rows(sandbox: Sandbox, mailoutbox: list[Any]) -> dict[type[Model], list[dict[str, Any]]]:
    """One of each: a guest's receipt and the staff's mail of a dispute, both sent, and a departure that was closed."""
    slot = SlotFactory.create()
    ref = Frontend.of(slot).reserve(slot, capture_method="automatic").json()["payment"]["provider_ref"]
    stripe_events.deliver_all(sandbox)
    desk = sign_in(operator=slot.activity.operator)
    User.objects.update(email="marta@example.com")
    sandbox.dispute(ref)
    stripe_events.deliver_all(sandbox)
    registry.run("send_mails")
    act(desk, slot, "close", "wind")
    found = everything()
    assert [len(found[model]) for model in KEPT] == [1, 2, 1]
    assert {row["status"] for row in found[Mail]} == {"sent"}
    return found


def everything() -> dict[type[Model], list[dict[str, Any]]]:
    return {model: list(model._default_manager.order_by("pk").values()) for model in KEPT}


def is_refused(statement: str) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return "is refused" in str(error)
    return False


def test_nobody_deletes_or_rewrites_them(rows: dict[type[Model], list[dict[str, Any]]]) -> None:
    for statement in (
        "DELETE FROM payments_dispute",
        "DELETE FROM notifications_mail",
        "DELETE FROM django_admin_log",
        "TRUNCATE payments_dispute",
        "TRUNCATE notifications_mail",
        "TRUNCATE django_admin_log",
        "TRUNCATE tenants_user CASCADE",
        "UPDATE django_admin_log SET change_message = 'nothing'",
        "UPDATE django_admin_log SET action_time = now()",
        "UPDATE notifications_mail SET facts = '{}'",
        "UPDATE notifications_mail SET cause = cause || 'x'",
        "UPDATE notifications_mail SET \"to\" = '{another@example.com}'",
        "UPDATE notifications_mail SET reservation_id = NULL WHERE reservation_id IS NOT NULL",
    ):
        assert is_refused(statement), statement
    assert everything() == rows


def test_a_mail_is_sent_again_to_whom_it_was_sent(rows: dict[type[Model], list[dict[str, Any]]]) -> None:
    desk, mail = sign_in(operator=None), Mail.objects.get(kind="paid")
    act(desk, mail, "send_again", "lost")
    assert Mail.objects.get(pk=mail.pk).status == "waiting"
    assert is_refused("UPDATE notifications_mail SET \"to\" = '{another@example.com}' WHERE kind = 'paid'")
    assert is_refused("UPDATE notifications_mail SET round = 1 WHERE kind = 'paid'")
    registry.run("send_mails")
    assert Mail.objects.get(pk=mail.pk).status == "sent"


def test_who_has_done_something_is_not_deleted(rows: dict[type[Model], list[dict[str, Any]]]) -> None:
    person = LogEntry.objects.get().user
    Member.objects.filter(user=person).delete()
    with pytest.raises(DatabaseError, match="is refused"):
        person.delete()
    assert User.objects.filter(pk=person.pk).exists()
    assert everything() == rows
