"""Events that are forged by an operator with a secret of its own: refused, and never applied by a retry."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from booking.models import Reservation
from sweeps import registry as sweeps
from tests.support import promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.desk import act, sign_in
from tests.support.factories import OperatorFactory, SlotFactory, change_secrets
from tests.support.sandbox_client import Sandbox
from tests.webhooks.signing import event
from webhooks.models import Event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_secrets")]

PLATFORM = stripe_events.SECRET


class TestForged:
    """An operator with an account of its own says that a guest of another one has paid."""

    @pytest.fixture
    def victim(self, sandbox: Sandbox) -> Reservation:
        """A reservation that nothing was paid for."""
        OperatorFactory.create(account="acct_evil", account__secrets="STRIPE_EVIL")
        slot = SlotFactory.create(activity__operator=OperatorFactory.create(account="acct_victim"))
        Frontend.of(slot).reserve(slot, card=None, capture_method="automatic")
        return Reservation.objects.select_related("payment").get()

    def told(self, victim: Reservation, **changes: Any) -> dict[str, Any]:
        """Write the event that would tell of its money."""
        payment = victim.payments[-1]
        intent = {"id": payment.provider_ref, "object": "payment_intent", "status": "succeeded",
                  "amount": payment.amount, "amount_received": payment.amount, "currency": "usd",
                  "metadata": {"holdfast_payment": str(payment.pk)}}  # fmt: skip
        return event(**{"type": "payment_intent.succeeded", "data": {"object": intent}, **changes})

    def stored(self, victim: Reservation, **changes: Any) -> Event:
        """Have such an event in the inbox, as failed, due, and with what ``changes`` say."""
        told = self.told(victim, account="acct_victim")
        given = {
            "provider": "stripe", "account": "acct_victim", "event_id": told["id"], "type": told["type"],
            "object_ref": victim.payments[-1].provider_ref, "live": False, "source": "webhook", "payload": told,
            "captured_amount": victim.payments[-1].amount, "captured_currency": "USD", "occurred_at": timezone.now(),
            "received_at": timezone.now(), "status": "failed", "next_attempt_at": timezone.now(),
        }  # fmt: skip
        return Event.objects.create(**given | changes)

    def assert_unpaid(self, victim: Reservation) -> None:
        found = Reservation.objects.select_related("payment").get(pk=victim.pk)
        assert (found.status, found.payments[-1].amount_captured) == ("awaiting_payment", 0)
        promises.hold()

    def test_is_refused_and_never_tried(self, victim: Reservation) -> None:
        for account in (None, "acct_victim", "acct_evil"):
            told = self.told(victim) | ({} if account is None else {"account": account})
            stripe_events.deliver(told, path="/webhooks/stripe/acct_evil", secret="whsec_evil")
        assert not Event.objects.filter(account="acct_victim").exists()
        end_leases()
        sweeps.run("retry_events")
        self.assert_unpaid(victim)

    OLD_ROWS: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({}, "NotProvenError"),
        ({"secret_name": "STRIPE_WEBHOOK_SECRETS"}, "NotProvenError"),
        ({"proven_account": "acct_victim", "secret_name": "STRIPE_EVIL_WEBHOOK_SECRETS"}, "event_is_proven"),
        ({"proven_account": "acct_victim", "secret_name": "STRIPE_WEBHOOK_SECRETS", "live": True}, "WrongMode"),
        ({"source": "recovered", "proven_account": "acct_victim", "secret_name": "STRIPE_EVIL_API_KEY"}, "proven"),
    ]

    def test_that_was_stored_somehow_is_not_applied_by_a_retry(self, victim: Reservation) -> None:
        with without_guards():
            rows = [(self.stored(victim, **changes), error) for changes, error in self.OLD_ROWS]
        sweeps.run("retry_events")
        desk = sign_in(operator=None)
        for row, error in rows:
            act(desk, row, "retry", "again")
            row.refresh_from_db()
            assert (row.status, row.attempts, row.payment_id) == ("failed", 2, None)
            assert error in row.error
        self.assert_unpaid(victim)

    def test_the_database_does_not_store_what_is_proven_for_another(self, victim: Reservation) -> None:
        for changes in (
            {"proven_account": "acct_evil", "secret_name": "STRIPE_EVIL_WEBHOOK_SECRETS"},
            {"proven_account": "acct_victim", "secret_name": "STRIPE_EVIL_WEBHOOK_SECRETS"},
            {"proven_account": "acct_victim", "secret_name": ""},
            {"proven_account": "acct_victim", "secret_name": "STRIPE_WEBHOOK_SECRETS", "endpoint": "acct_evil"},
            {"status": "applied", "payment": victim.payments[-1]},
        ):
            with pytest.raises(DatabaseError):
                self.stored(victim, **changes)
        assert Event.objects.count() == 0

    def test_a_proof_that_is_none_any_more_is_not_taken_at_a_retry(self, victim: Reservation) -> None:
        row = self.stored(victim, proven_account="acct_victim", secret_name="STRIPE_WEBHOOK_SECRETS")
        change_secrets("acct_victim", secrets="STRIPE_OWN")
        assert sweeps.run("retry_events") == 0
        self.assert_unpaid(victim)
        change_secrets("acct_victim", secrets="")
        end_leases()
        assert sweeps.run("retry_events") == 1  # the control: the same row, proven again
        row.refresh_from_db()
        assert (row.status, row.payment_id) == ("applied", victim.payment_id)


@contextmanager
def without_guards() -> Iterator[None]:
    """Take the inbox's triggers away: a row as it may have been stored before there were any."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE webhooks_event DISABLE TRIGGER USER")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE webhooks_event ENABLE TRIGGER USER")
