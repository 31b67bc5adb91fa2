"""What would break a change, or hide one, is refused by the database."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import Error, connection, transaction

from booking.models import Change
from catalogue.models import Slot
from tests.support.api import Frontend
from tests.support.changing import change, price
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.selling import sell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made(sandbox: Sandbox) -> dict[str, Any]:
    """A reservation that is paid, with an open change to a dearer day."""
    here: Slot = SlotFactory.create()
    there = SlotFactory.create(activity=here.activity, starts_at=here.starts_at + timedelta(days=1))
    frontend = Frontend.of(here)
    sold = sell(frontend, here, sandbox)
    price(here, 7500)
    assert change(frontend, sold, slot_id=str(there.pk)).status_code == 201
    assert Change.objects.get().status == "open"
    return sold


def refused_by(*statements: str) -> str:
    """Run statements in one transaction; returns the constraint that refuses them."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.replace("EXPLAINED", EXPLAINED))
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except Error as error:
        cause: Any = error.__cause__
        return str(cause.diag.constraint_name)
    return ""


EXPLAINED = "changed_at = now(), changed_by = 'psql', changed_because = 'tried'"


@pytest.mark.parametrize(
    ("statements", "constraint"),
    [
        (["UPDATE booking_change SET status = 'expired', EXPLAINED"], "change_is_of_its_reservation"),
        (["UPDATE booking_reservation SET change_id = NULL"], "change_is_of_its_reservation"),
        (
            [
                "UPDATE booking_change SET status = 'done', EXPLAINED",
                "UPDATE booking_reservation SET change_id = NULL",
            ],
            "change_done_is_paid",
        ),
        (
            ["UPDATE booking_change SET status = 'expired'", "UPDATE booking_reservation SET change_id = NULL"],
            "change_change_is_explained",
        ),
        (["UPDATE booking_change SET amount_due = 0"], "change_is_kept"),
        (["UPDATE booking_change SET places = 2"], "change_is_kept"),
        (["UPDATE booking_change SET prices = '{}'"], "change_is_kept"),
        (["DELETE FROM booking_change"], None),
        (["TRUNCATE booking_change CASCADE"], None),
        (
            [
                "INSERT INTO booking_change SELECT (jsonb_populate_record(c, jsonb_build_object("
                "'id', gen_random_uuid()))).* FROM booking_change c"
            ],
            "change_open_once",
        ),
        (
            [
                "INSERT INTO booking_change SELECT (jsonb_populate_record(c, jsonb_build_object("
                "'id', gen_random_uuid(), 'status', 'done'))).* FROM booking_change c"
            ],
            "change_transition",
        ),
        (["UPDATE payments_payment SET managed_part = (SELECT id FROM booking_change)"], "payment_is_fixed"),
        (
            [
                "UPDATE booking_reservation SET status = 'cancelled', amount_owed = 0, EXPLAINED",
            ],
            "reservation_change_is_of_sold",
        ),
    ],
)
def test_is_refused(made: dict[str, Any], statements: list[str], constraint: str | None) -> None:
    found = refused_by(*statements)
    assert found == (str(None) if constraint is None else constraint)
    assert Change.objects.get().status == "open"


def test_what_ends_one_is_let_through(made: dict[str, Any]) -> None:
    ending = "UPDATE booking_change SET status = 'expired', EXPLAINED"
    assert refused_by(ending, "UPDATE booking_reservation SET change_id = NULL") == ""
