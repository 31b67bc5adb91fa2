"""Refunds have a history, and an amount that is changed by hand is told (P11)."""

import pytest
from django.db import DatabaseError, connection, transaction

from booking.models import History, Reservation
from common import database
from payments.models import Payment, PaymentHistory, Refund, RefundHistory
from tests.support import promises, stripe_events
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.paying import work
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def refund(sandbox: Sandbox) -> Refund:
    """A refund of 10.00 USD that has succeeded."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    payment = frontend.reserve(slot, capture_method="automatic").json()["payment"]["id"]
    stripe_events.deliver_all(sandbox)
    assert frontend.post("refunds", {"payment_id": payment, "amount": 1000}).status_code == 201
    work(sandbox)
    return Refund.objects.get()


def steps() -> list[tuple[str, str, int]]:
    return list(RefundHistory.objects.values_list("from_status", "to_status", "amount"))


class TestRefund:
    def test_each_step_is_kept(self, refund: Refund) -> None:
        assert steps() == [("", "pending", 1000), ("pending", "succeeded", 1000)]
        assert RefundHistory.objects.latest("id").at == refund.changed_at
        promises.hold()

    def test_whoever_takes_it(self, refund: Refund) -> None:
        Refund.objects.update(failure_code="expired_or_canceled_card")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE payments_refund SET status = 'failed', amount = 900")
        assert steps()[2:] == [("succeeded", "failed", 900)]
        assert RefundHistory.objects.latest("id").failure_code == "expired_or_canceled_card"

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE payments_refundhistory SET amount = 1",
            "DELETE FROM payments_refundhistory",
            "TRUNCATE payments_refundhistory",
        ],
    )
    def test_nobody_rewrites_it(self, refund: Refund, statement: str) -> None:
        with pytest.raises(DatabaseError, match="is refused"), connection.cursor() as cursor:
            cursor.execute(statement)
        assert len(steps()) == 2


class TestAmounts:
    def test_of_a_payment(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        Payment.objects.update(amount=4501)
        last = PaymentHistory.objects.latest("id")
        assert (last.from_status, last.to_status, last.actor, last.reason) == (
            "on_hold", "on_hold", "database:holdfast", "amount 4500 USD → 4501 USD, in minor units",
        )  # fmt: skip

    def test_of_a_reservation(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        Frontend.of(slot).reserve(slot)
        with transaction.atomic():
            database.name_actor("user:marta", "")
            Reservation.objects.update(amount=4400, places=2)
            last = History.objects.latest("id")
            transaction.set_rollback(True)
        assert (last.from_status, last.to_status, last.actor) == ("pending", "pending", "user:marta")
        assert last.reason == "1 places, amount 4500 USD → 2 places, amount 4400 USD, in minor units"
