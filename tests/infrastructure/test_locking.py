"""A row is handed on with the time of the database's clock, and nothing else is left on it."""

from dataclasses import FrozenInstanceError
from datetime import datetime

import pytest
from django.db import connection, models

from catalogue.models import Slot
from common.locking import AsOf, Locked, clocked
from tests.support.factories import SlotFactory

pytestmark = pytest.mark.django_db


def clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
    return told


def fields(row: models.Model) -> set[str]:
    return set(vars(row)) - {"_state"}


@pytest.mark.parametrize("kind", [AsOf, Locked])
def test_the_time_is_taken_off_the_row(kind: type[AsOf[Slot]]) -> None:
    slot, before = SlotFactory.create(), clock()
    read = kind.of(clocked(Slot.objects.all()).get())
    assert before <= read.at <= clock()
    assert read.row == slot
    assert fields(read.row) == {field.attname for field in Slot._meta.concrete_fields}
    with pytest.raises(FrozenInstanceError):
        read.at = before  # type: ignore[misc]  # that is what is tried


def test_a_row_that_was_read_without_it_has_none() -> None:
    slot = SlotFactory.create()
    with pytest.raises(KeyError):
        AsOf.of(slot)
