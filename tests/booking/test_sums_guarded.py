"""What the database refuses of a reservation's sums (P13), and that the promise sees it without the guards."""

from typing import Any

import pytest
from django.db import connection, transaction

from booking import tills
from catalogue.models import Slot
from tests.support import promises
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.paying import work
from tests.support.refusing import is_refused
from tests.support.sandbox_client import Sandbox
from tests.support.selling import refund, sell

pytestmark = pytest.mark.django_db(transaction=True)

_EXPLAINED = "changed_at = now(), changed_by = 'me', changed_because = 'because'"
_ADJUST = (
    "INSERT INTO booking_adjustment (id, reservation_id, kind, amount, refund_id, keeps_places, at, actor, reason)"
    " VALUES (gen_random_uuid(), %(paid)s, {}, {}, {}, false, now(), 'me', 'because')"
)
_TAKE = (
    "INSERT INTO booking_receipt (id, reservation_id, method, amount, at, actor, reason, reference, approved_at,"
    " approved_by, till_id) VALUES (gen_random_uuid(), {}, {}, {}, now(), 'me', 'because', '', {}, {}, {})"
)
_ATTEMPT = (
    "INSERT INTO payments_payment SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(),"
    " 'provider_ref', '', 'status', 'processing', 'amount_captured', 0, 'captured_event_id', NULL))).*"
    " FROM payments_payment p WHERE managed_id = {}"
)
BREAKING = [
    # what is said of sums
    "UPDATE booking_reservation SET amount_owed = amount_owed - 1 WHERE id = %(paid)s",
    "UPDATE booking_reservation SET amount_owed = 0 WHERE id = %(paid)s",
    "UPDATE booking_reservation SET amount_owed = amount_owed + 1 WHERE id = %(held)s",
    "UPDATE booking_reservation SET amount_owed = -1 WHERE id = %(held)s",
    "UPDATE booking_reservation SET amount_proven = amount_proven + 1 WHERE id = %(paid)s",
    "UPDATE booking_reservation SET amount_proven = amount_proven - 1 WHERE id = %(paid)s",
    "UPDATE booking_reservation SET amount_proven = -1 WHERE id = %(held)s",
    "UPDATE booking_reservation SET amount_proven = 4500 WHERE id = %(held)s",
    "UPDATE booking_reservation SET amount_proven = 4500 WHERE id = %(confirmed)s",
    # what was sold
    "UPDATE booking_reservation SET amount = amount + 1 WHERE id = %(held)s",
    "UPDATE booking_reservation SET amount = amount - 1, amount_owed = amount_owed - 1 WHERE id = %(held)s",
    "UPDATE booking_reservation SET places = places + 1 WHERE id = %(held)s",
    "UPDATE booking_reservation SET currency = 'EUR' WHERE id = %(paid)s",
    "INSERT INTO booking_unit (id, reservation_id, unit, name, amount)"
    " VALUES (gen_random_uuid(), %(paid)s, 'adult', 'Adult', 4500)",
    "INSERT INTO booking_unit (id, reservation_id, unit, name, amount)"
    " VALUES (gen_random_uuid(), %(held)s, 'gift', 'Gift', 0)",
    "UPDATE booking_unit SET amount = 0 WHERE reservation_id = %(paid)s",
    "DELETE FROM booking_unit WHERE reservation_id = %(paid)s",
    # paid is a fact
    "UPDATE booking_reservation SET status = 'paid', EXPLAINED WHERE id = %(confirmed)s",
    "UPDATE booking_reservation SET status = 'paid', amount_proven = 4500, EXPLAINED WHERE id = %(held)s",
    "UPDATE booking_reservation SET status = 'paid', amount_owed = 0, EXPLAINED WHERE id = %(confirmed)s",
    "UPDATE booking_reservation SET status = 'confirmed', EXPLAINED WHERE id = %(paid)s",
    "UPDATE booking_reservation SET status = 'confirmed', EXPLAINED WHERE id = %(awaiting)s",
    "UPDATE booking_reservation SET status = 'refunded', EXPLAINED WHERE id = %(paid)s",
    "UPDATE booking_reservation SET status = 'refunded', amount_owed = 0, EXPLAINED WHERE id = %(paid)s",
    "UPDATE booking_reservation SET status = 'expired', EXPLAINED WHERE id = %(held)s",
    "UPDATE booking_reservation SET status = 'failed', EXPLAINED WHERE id = %(confirmed)s",
    "UPDATE booking_reservation SET status = 'cancelled', amount_owed = 0, EXPLAINED WHERE id = %(held)s",
    # what changes what is owed
    _ADJUST.format("'goodwill'", "-1000", "NULL"),
    _ADJUST.format("'goodwill'", "1000", "NULL"),
    _ADJUST.format("'reversal'", "1000", "NULL"),
    _ADJUST.format("'end'", "-4500", "NULL"),
    _ADJUST.format("'gift'", "-4500", "NULL"),
    "UPDATE booking_adjustment SET amount = -1 WHERE reservation_id = %(given)s",
    "DELETE FROM booking_adjustment WHERE reservation_id = %(given)s",
    "INSERT INTO booking_adjustment"
    " (id, kind, amount, name, keeps_places, at, actor, reason, refund_id, reservation_id)"
    " SELECT gen_random_uuid(), kind, amount, '', keeps_places, at, actor, reason, refund_id, reservation_id"
    " FROM booking_adjustment WHERE reservation_id = %(given)s",
    # what changes the price
    _ADJUST.format("'extra'", "1000", "NULL"),
    _ADJUST.format("'extra'", "-1000", "NULL"),
    _ADJUST.format("'discount'", "-1000", "NULL"),
    _ADJUST.format("'unit'", "-4500", "NULL"),
    _ADJUST.format("'withdrawal'", "-1000", "NULL"),
    "UPDATE booking_reservation SET amount = amount + 1000, amount_owed = amount_owed + 1000, status = 'confirmed',"
    " EXPLAINED WHERE id = %(paid)s",
    # what was collected
    "UPDATE booking_reservation SET amount_collected = 1 WHERE id = %(paid)s",
    "UPDATE booking_reservation SET amount_collected = 4500 WHERE id = %(held)s",
    _TAKE.format("%(paid)s", "'cash'", "100", "now()", "''", "NULL"),
    _TAKE.format("%(paid)s", "'cash'", "0", "now()", "''", "NULL"),
    _TAKE.format("%(paid)s", "'gold'", "100", "NULL", "''", "NULL"),
    _TAKE.format("%(paid)s", "'cash'", "100", "now() + interval '1 minute'", "'me'", "NULL"),
    _TAKE.format("%(cash)s", "'cash'", "100", "NULL", "''", "%(closed)s"),
    _TAKE.format("%(cash)s", "'cash'", "100", "NULL", "''", "%(elsewhere)s"),
    "UPDATE booking_receipt SET amount = 1 WHERE reservation_id = %(cash)s",
    "UPDATE booking_receipt SET approved_at = NULL, approved_by = '' WHERE reservation_id = %(cash)s",
    "DELETE FROM booking_receipt WHERE reservation_id = %(cash)s",
    "UPDATE booking_till SET amount_counted = 1 WHERE id = %(closed)s",
    "UPDATE booking_till SET closed_at = now() WHERE id = %(elsewhere)s",
    "UPDATE booking_till SET amount_opened = 1 WHERE id = %(elsewhere)s",
    "DELETE FROM booking_till WHERE id = %(elsewhere)s",
    # its attempts
    "UPDATE booking_reservation SET attempts = 2 WHERE id = %(paid)s",
    "UPDATE booking_reservation SET attempts = 0 WHERE id = %(paid)s",
    "UPDATE booking_reservation SET attempts = 0, payment_id = NULL WHERE id = %(paid)s",
    "UPDATE booking_reservation SET payment_id = (SELECT payment_id FROM booking_reservation WHERE id = %(held)s)"
    " WHERE id = %(paid)s",
    _ATTEMPT.format("%(paid)s"),
    _ATTEMPT.format("%(held)s"),
    "UPDATE booking_reservation SET status = 'pending', EXPLAINED WHERE id = %(awaiting)s",
    # whose money it is
    "UPDATE payments_payment SET amount_refunded = amount_captured WHERE managed_id = %(paid)s",
    "UPDATE payments_payment SET amount_captured = amount_captured - 1 WHERE managed_id = %(paid)s",
    "UPDATE payments_payment SET managed_id = %(held)s WHERE managed_id = %(paid)s",
    "UPDATE payments_payment SET managed_id = NULL WHERE managed_id = %(paid)s",
    "UPDATE payments_payment SET managed_id = NULL, managed_by = '' WHERE managed_id = %(paid)s",
    "UPDATE payments_payment SET operator_id = %(stranger)s WHERE managed_id = %(paid)s",
    "UPDATE payments_payment SET currency = 'EUR' WHERE managed_id = %(paid)s",
]


def _said(statement: str) -> str:
    return statement.replace("EXPLAINED", _EXPLAINED)


class TestGuards:
    @pytest.fixture
    def ids(self, sandbox: Sandbox) -> dict[str, Any]:
        slot: Slot = SlotFactory.create(capacity=20)
        frontend = Frontend.of(slot)
        paid, given = (sell(frontend, slot, sandbox)["reservation"]["id"] for _ in range(2))
        refund(frontend, frontend.get(f"reservations/{given}").json(), amount=1000)
        work(sandbox)
        held, confirmed = (frontend.reserve(slot).json()["reservation"]["id"] for _ in range(2))
        assert frontend.post(f"reservations/{confirmed}/confirm").status_code == 200
        awaiting = frontend.reserve(slot, card=None).json()["reservation"]["id"]
        stranger = OperatorFactory.create()
        cash = frontend.on_arrival(slot).json()["reservation"]["id"]
        assert frontend.post(f"reservations/{cash}/receipts", {"method": "cash", "amount": 100}).status_code == 201
        till: dict[str, Any] = {"name": "Till", "currency": "USD", "amount": 0, "actor": "me"}
        closed = tills.open_till(operator=slot.activity.operator, **till)
        tills.close(till_id=closed.pk, counted=0, actor="me", reason="evening")
        elsewhere = tills.open_till(operator=stranger, **till)
        return {
            "paid": paid, "given": given, "held": held, "confirmed": confirmed, "awaiting": awaiting,
            "stranger": stranger.pk, "cash": cash, "closed": closed.pk, "elsewhere": elsewhere.pk,
        }  # fmt: skip

    def test_refuse_what_is_not_the_sum_of_its_rows(self, ids: dict[str, Any]) -> None:
        assert len(BREAKING) >= 60
        not_refused = [statement for statement in BREAKING if not is_refused(_said(statement), ids)]
        assert not not_refused
        promises.hold()

    def test_the_promise_sees_what_the_guards_would_refuse(self, ids: dict[str, Any]) -> None:
        for change in ("amount_owed = amount_owed + 1", "amount_proven = amount_proven + 1", "places = places + 1"):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("ALTER TABLE booking_reservation DISABLE TRIGGER USER")
                cursor.execute(f"UPDATE booking_reservation SET {change} WHERE id = %s", [ids["confirmed"]])  # noqa: S608
                with pytest.raises(AssertionError, match="P13"):
                    promises.hold()
                transaction.set_rollback(True)
