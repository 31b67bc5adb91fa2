"""Rows of several tables in one statement, one of a table or many."""

import pytest
from django.db import DataError, transaction

from booking.models import Unit
from common import database
from tests.support.api import Frontend
from tests.support.factories import SlotFactory
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reservation_id(sandbox: Sandbox) -> str:
    slot = SlotFactory.create()
    return str(Frontend.of(slot).reserve(slot).json()["reservation"]["id"])


def units(reservation_id: str, name: str, number: int) -> list[Unit]:
    return [Unit(reservation_id=reservation_id, unit="adult", name=name, amount=n) for n in range(1, number + 1)]


@pytest.mark.parametrize("number", [1, 2, 300])
def test_what_is_stored_is_what_was_given(reservation_id: str, number: int) -> None:
    name = "a \\ \" ' , {} NULL \n ünit"
    made = units(reservation_id, name, number)
    with transaction.atomic():
        database.insert_together(*made)
        stored = {unit.pk: (unit.name, unit.amount) for unit in Unit.objects.filter(name=name)}
        transaction.set_rollback(True)  # units are sold with their reservation, or not at all
    assert stored == {unit.pk: (name, unit.amount) for unit in made}


@pytest.mark.parametrize("number", [1, 2])
def test_a_text_that_is_too_long_is_refused_and_not_cut(reservation_id: str, number: int) -> None:
    with pytest.raises(DataError):
        database.insert_together(*units(reservation_id, "x" * 1000, number))
    assert not Unit.objects.filter(name__startswith="xx").exists()
